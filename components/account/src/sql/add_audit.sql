-- Write down who changed what, in the transaction that changes it.
insert into account_audit (user_id, number, actor_id, field, value_before, value_after, changed_at)
select cast(?1 as bigint), coalesce(max(number), 0) + 1, cast(?2 as bigint), cast(?3 as text), cast(?4 as text),
       cast(?5 as text), cast(?6 as bigint)
  from account_audit
 where user_id = ?1
