-- expand: a column and an index that the program before it does not know, and does not need
-- When all of a user's access tokens were called back last, to be found by time: the key-value store that says which
-- tokens are dead may lose what was said last. Of what was before, it is not known which sessions ended alone: for
-- half an hour some get new tokens without need.
alter table account add column called_back_at bigint;

update account
   set called_back_at = (select max(session.revoked_at) from session where session.user_id = account.user_id)
 where user_id in (select user_id from session where revoked_at is not null);

update account
   set called_back_at = (select max(changed_at)
                           from account_audit
                          where account_audit.user_id = account.user_id
                            and field <> 'GRADE'
                            and value_before is not null
                            and value_after <> 'ACTIVE')
 where exists (select 1
                 from account_audit
                where account_audit.user_id = account.user_id
                  and field <> 'GRADE'
                  and value_before is not null
                  and value_after <> 'ACTIVE'
                  and (account.called_back_at is null or changed_at > account.called_back_at));

create index account_called_back on account (called_back_at) where called_back_at is not null;
