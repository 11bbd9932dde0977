-- Remember which order a client's key made. No row changed: the key was used before.
insert into idempotency (user_id, idempotency_key, command, order_id)
values (?1, ?2, ?3, ?4)
on conflict (user_id, idempotency_key) do nothing
