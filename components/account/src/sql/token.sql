-- What is known of a refresh token. No row: nothing -> unknown.
select t.session_id, t.expires_at as token_expires_at, t.used_at, t.successor_salt, s.revoked_at,
       a.user_id, a.email, a.name, a.phone, a.role, a.status, a.grade, a.created_at
  from refresh_token t
  join session s on s.session_id = t.session_id
  join account a on a.user_id = s.user_id
 where t.fingerprint = ?1
   and s.user_id = ?2
