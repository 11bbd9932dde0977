-- PLACE or CONFIRM to FINISH, with the order's becoming PAID. No row changed: it is driven by somebody else,
-- or being undone.
update order_work
   set kind = 'FINISH', payment_key = null, key_user_id = null, idempotency_key = null
 where order_id = ?1
   and lease_owner = ?2
   and kind in ('PLACE', 'CONFIRM')
