-- Change what admins may change. No row changed: somebody was first -> ask again.
update account
   set role = ?5, status = ?6, grade = ?7, updated_at = ?8
 where user_id = ?1
   and role = ?2
   and status = ?3
   and grade = ?4
