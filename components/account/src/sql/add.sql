-- Make an account. No row changed: the id or the e-mail is taken -> see email_taken.sql which.
insert into account
  (user_id, email, email_key, name, name_folded, phone, password_hash, role, status, grade, created_at, updated_at)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)
on conflict do nothing
