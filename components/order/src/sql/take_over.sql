-- Work whose lease lies before ?4 gets another owner. No row back: it does not, or somebody was first.
update order_work
   set lease_owner = ?2, lease_until = ?3
 where order_id = ?1
   and stuck is null
   and kind <> 'AWAIT'
   and lease_until < ?4
returning kind, attempt, lease_owner, lease_until, expires_at, payment_key, from_cart,
          reason as work_reason, note as work_note, failure as work_failure,
          failure_detail as work_failure_detail, key_user_id, idempotency_key, stuck, stuck_reason
