-- Remembers what a client's key did. No row changed: it was used before, and the transaction must not stay.
insert into cart_key (user_id, idempotency_key, command, product_id, sku_id, quantity, at)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
on conflict (user_id, idempotency_key) do nothing
