-- Tidy up what can't be continued any more; its refresh tokens go with it.
delete from session
 where user_id = ?1
   and expires_at <= ?2
