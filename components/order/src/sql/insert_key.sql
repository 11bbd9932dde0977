-- Remember what a client's key is used for, in the transaction of the effect. No row changed: the key was
-- used before.
insert into command_key (user_id, idempotency_key, command, order_id)
values (?1, ?2, ?3, ?4)
on conflict (user_id, idempotency_key) do nothing
