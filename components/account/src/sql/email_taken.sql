-- A row: another account has the e-mail.
select user_id from account where email_key = ?1
