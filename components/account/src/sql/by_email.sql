-- The account that logs in with this e-mail. No row: nobody does.
select user_id, email, name, phone, password_hash, role, status, grade, created_at
  from account
 where email_key = ?1
