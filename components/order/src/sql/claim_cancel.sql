-- The intent to give a PAID order back, in place of what was left to finish. No row changed: it is not
-- PAID, or it is being given back already.
insert into order_work (order_id, kind, attempt, lease_owner, lease_until, from_cart, reason, note)
select order_id, 'CANCEL', 1, ?2, ?3, 0, ?4, ?5
  from customer_order
 where order_id = ?1
   and state = 'PAID'
on conflict (order_id) do update
   set kind = 'CANCEL', attempt = 1, lease_owner = ?2, lease_until = ?3, reason = ?4, note = ?5
 where order_work.kind = 'FINISH'
