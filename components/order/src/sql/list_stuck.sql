-- Orders before ?1 that wait for a person, newest first, with what is left to do for them.
select o.order_id, o.user_id, o.state, o.method, o.currency, o.total_minor, o.discount_minor, o.due_minor,
       o.failure, o.failure_detail, o.created_at, o.changed_at,
       case when w.kind = 'AWAIT' then w.expires_at end as pay_until, c.reason, c.note,
       w.kind, w.attempt, w.lease_owner, w.lease_until, w.expires_at, w.payment_key, w.from_cart,
       w.reason as work_reason, w.note as work_note, w.failure as work_failure,
       w.failure_detail as work_failure_detail, w.key_user_id, w.idempotency_key, w.stuck, w.stuck_reason
  from order_work w
  join customer_order o on o.order_id = w.order_id
  left join order_cancellation c on c.order_id = o.order_id
 where w.stuck is not null
   and w.order_id < ?1
 order by w.order_id desc
 limit ?2
