-- A person has looked: another attempt begins. No row back: the work is not stuck.
update order_work
   set stuck = null, stuck_reason = null, attempt = attempt + 1, lease_owner = ?2, lease_until = ?3
 where order_id = ?1
   and stuck is not null
returning kind, attempt, lease_owner, lease_until, expires_at, payment_key, from_cart,
          reason as work_reason, note as work_note, stuck, stuck_reason
