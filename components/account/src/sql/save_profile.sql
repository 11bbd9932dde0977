-- Change what the owner may change.
update account
   set name = ?2, name_folded = ?3, phone = ?4, updated_at = ?5
 where user_id = ?1
