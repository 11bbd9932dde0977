-- Write a refund's intent down. Nothing changed: its key was used already.
insert into refund (order_id, refund_key, amount_minor, reason, state, requested_at)
values (?1, ?2, ?3, ?4, 'REQUESTED', ?5)
on conflict (order_id, refund_key) do nothing
