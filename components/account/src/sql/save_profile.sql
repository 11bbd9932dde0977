-- Change what the owner may change.
update account
   set name = ?2, phone = ?3, updated_at = ?4
 where user_id = ?1
