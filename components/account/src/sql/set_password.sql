-- Another password. No row changed: somebody was first, or the account may not be used any more -> ask again.
update account
   set password_hash = ?3, updated_at = ?4
 where user_id = ?1
   and password_hash = ?2
   and status = 'ACTIVE'
