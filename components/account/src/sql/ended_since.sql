-- Whose access tokens may have been called back since then, and when. Whoever was made an admin at once had no
-- token before, and a grade calls none back.
select user_id, max(at) as at
  from (select user_id, revoked_at as at from session where revoked_at >= ?1
        union all
        select user_id, changed_at from account_audit
         where changed_at >= ?1 and field <> 'GRADE' and value_before is not null) as ended
 group by user_id
 order by user_id
