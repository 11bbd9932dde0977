-- AWAIT to CONFIRM, before the time to pay runs out. No row changed: it has, or somebody was first.
update order_work
   set kind = 'CONFIRM', payment_key = ?2, lease_owner = ?3, lease_until = ?4, key_user_id = ?6,
       idempotency_key = ?7
 where order_id = ?1
   and kind = 'AWAIT'
   and expires_at > ?5
