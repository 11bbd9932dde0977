-- One more call met a rule; answers how many did.
insert into pg_rule_count (order_id, rule, calls)
values (?1, ?2, 1)
on conflict (order_id, rule) do update set calls = pg_rule_count.calls + 1
returning calls
