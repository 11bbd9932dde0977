-- End the session a refresh token belongs to, if it is this user's. No row changed: there is nothing to end.
update session
   set revoked_at = ?3
 where user_id = ?1
   and revoked_at is null
   and session_id = (select session_id from refresh_token where fingerprint = ?2)
