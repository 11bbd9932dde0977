-- Accounts that pass every filter that is not null, the newest first, from a position on.
select user_id, email, name, phone, role, status, grade, created_at
  from account
 where (cast(?1 as text) is null or email_key like ?1 escape '\' or name_folded like ?1 escape '\')
   and (cast(?2 as text) is null or status = ?2)
   and (cast(?3 as text) is null or grade = ?3)
   and (cast(?4 as bigint) is null or user_id < ?4)
 order by user_id desc
 limit ?5
