-- End a session. No row changed: it had ended before.
update session
   set revoked_at = ?2
 where session_id = ?1
   and revoked_at is null
