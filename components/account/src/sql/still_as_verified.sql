-- The account whose password was just verified. No row: meanwhile it got another password, or may not be used any more.
select user_id, email, name, phone, role, status, grade, created_at
  from account
 where user_id = ?1
   and password_hash = ?2
   and status = 'ACTIVE'
