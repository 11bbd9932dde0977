-- Use a refresh token up. No row changed: somebody was first -> look again.
update refresh_token
   set used_at = ?2, successor_salt = ?3
 where fingerprint = ?1
   and used_at is null
