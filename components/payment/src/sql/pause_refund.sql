-- Leave a refund alone until then.
insert into refund_pause (order_id, refund_key, until_at)
values (?1, ?2, ?3)
on conflict (order_id, refund_key) do update set until_at = excluded.until_at
