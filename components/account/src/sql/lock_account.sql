-- The account itself, and until the transaction ends: it changes nothing, but where writers don't queue nobody, its owner
-- neither, changes it between our look and our change. No row: it is gone.
update account
   set role = role
 where user_id = ?1
returning user_id, email, name, phone, password_hash, role, status, grade, created_at
