-- Write a cancellation down. Nothing changed: its key was used already.
insert into pg_cancel (order_id, cancel_key, amount_minor, reason)
values (?1, ?2, ?3, ?4)
on conflict (order_id, cancel_key) do nothing
