-- What a client's key was used for. No row: it is new.
select command, order_id from idempotency where user_id = ?1 and idempotency_key = ?2
