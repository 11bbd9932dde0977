-- An outage is no answer worth keeping: the client's key is free to try again.
delete from idempotency where order_id = ?1
