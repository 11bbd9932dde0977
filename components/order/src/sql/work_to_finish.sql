-- PLACE or CONFIRM to FINISH, with the order's becoming PAID; from ?3 on anybody may take it. No row changed: it
-- is driven by somebody else, or being undone.
update order_work
   set kind = 'FINISH', lease_until = ?3, payment_key = null, key_user_id = null, idempotency_key = null
 where order_id = ?1
   and lease_owner = ?2
   and kind in ('PLACE', 'CONFIRM')
