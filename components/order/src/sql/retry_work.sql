-- A person has looked: another attempt begins, after attempt ?4 if it says which. No row back: the work is not
-- stuck, or not at that attempt.
update order_work
   set stuck = null, stuck_reason = null, attempt = attempt + 1, lease_owner = ?2, lease_until = ?3
 where order_id = ?1
   and stuck is not null
   and attempt = coalesce(?4, attempt)
returning kind, attempt, lease_owner, lease_until, expires_at, payment_key, from_cart,
          reason as work_reason, note as work_note, failure as work_failure,
          failure_detail as work_failure_detail, key_user_id, idempotency_key, stuck, stuck_reason
