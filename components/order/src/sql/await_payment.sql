-- PLACE to AWAIT: nobody drives the order until its customer pays. No row changed: it is driven by
-- somebody else, or does not wait for a payment.
update order_work
   set kind = 'AWAIT', lease_owner = 0, key_user_id = null, idempotency_key = null
 where order_id = ?1
   and lease_owner = ?2
   and kind = 'PLACE'
   and expires_at is not null
