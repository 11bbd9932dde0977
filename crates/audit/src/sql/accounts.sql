-- Up to ?2 accounts beyond ?1, and what the log says of them at last; null where it says nothing.
select account.user_id, account.role, account.status, account.grade,
       (select log.value_after from account_audit log
         where log.user_id = account.user_id and log.field = 'ROLE'
         order by log.number desc limit 1) as role_logged,
       (select log.value_after from account_audit log
         where log.user_id = account.user_id and log.field = 'STATUS'
         order by log.number desc limit 1) as status_logged,
       (select log.value_after from account_audit log
         where log.user_id = account.user_id and log.field = 'GRADE'
         order by log.number desc limit 1) as grade_logged
  from account
 where account.user_id > ?1
 order by account.user_id
 limit ?2
