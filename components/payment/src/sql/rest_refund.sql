-- Leave a refund that can't be read out of the job until then.
insert into refund_claim (order_id, refund_key, claimed_until, rests_until)
values (?1, ?2, 0, ?3)
on conflict (order_id, refund_key) do update set rests_until = excluded.rests_until
