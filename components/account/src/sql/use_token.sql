-- Use a refresh token up. No row changed: somebody was first -> reused.
update refresh_token
   set used_at = ?2
 where fingerprint = ?1
   and used_at is null
