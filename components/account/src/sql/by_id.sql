-- The account itself. No row: it is gone.
select user_id, email, name, phone, password_hash, role, status, grade, created_at
  from account
 where user_id = ?1
