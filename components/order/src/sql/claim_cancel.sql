-- The intent to give an order back that is held PAID (lock_paid), in place of what was left to finish. No row
-- changed: it is being given back already.
insert into order_work (
  order_id, user_id, kind, attempt, lease_owner, lease_until, from_cart, reason, note, key_user_id,
  idempotency_key)
select order_id, user_id, 'CANCEL', 1, ?2, ?3, 0, ?4, ?5, cast(?6 as bigint), cast(?7 as text)
  from customer_order
 where order_id = ?1
on conflict (order_id) do update
   set kind = 'CANCEL', attempt = 1, lease_owner = ?2, lease_until = ?3, reason = ?4, note = ?5,
       key_user_id = ?6, idempotency_key = ?7
 where order_work.kind = 'FINISH'
