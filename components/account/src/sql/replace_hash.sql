-- Hash the same password better. No row changed: the password was changed meanwhile, which is fine.
update account
   set password_hash = ?3, updated_at = ?4
 where user_id = ?1
   and password_hash = ?2
