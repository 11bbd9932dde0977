-- One order of anybody, with what is left to do for it: `kind` is null when nothing is. No row: there is
-- no such order.
select o.order_id, o.user_id, o.state, o.method, o.currency, o.total_minor, o.discount_minor, o.due_minor,
       o.failure, o.failure_detail, o.created_at, o.changed_at,
       case when w.kind = 'AWAIT' then w.expires_at end as pay_until, c.reason, c.note,
       w.kind, w.attempt, w.lease_owner, w.lease_until, w.expires_at, w.payment_key, w.from_cart,
       w.reason as work_reason, w.note as work_note, w.failure as work_failure,
       w.failure_detail as work_failure_detail, w.key_user_id, w.idempotency_key, w.stuck, w.stuck_reason
  from customer_order o
  left join order_work w on w.order_id = o.order_id
  left join order_cancellation c on c.order_id = o.order_id
 where o.order_id = ?1
