-- Up to ?4 orders to FINISH whose lease lies before ?3 get one owner together.
update order_work
   set lease_owner = ?1, lease_until = ?2
 where order_id in (
       select order_id
         from order_work
        where stuck is null
          and kind = 'FINISH'
          and lease_until < ?3
        order by lease_until
        limit ?4)
   and kind = 'FINISH'
   and lease_until < ?3
returning order_id, kind, attempt, lease_owner, lease_until, expires_at, payment_key, from_cart,
          reason as work_reason, note as work_note, failure as work_failure,
          failure_detail as work_failure_detail, key_user_id, idempotency_key, stuck, stuck_reason
