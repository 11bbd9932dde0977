-- Everybody's orders of the state ?3 before ?1, newest first.
select o.order_id, o.user_id, o.state, o.method, o.currency, o.total_minor, o.discount_minor, o.due_minor,
       o.failure, o.failure_detail, o.created_at, o.changed_at,
       w.expires_at as pay_until, c.reason, c.note
  from customer_order o
  left join order_work w on w.order_id = o.order_id and w.kind = 'AWAIT'
  left join order_cancellation c on c.order_id = o.order_id
 where o.state = ?3
   and o.order_id < ?1
 order by o.order_id desc
 limit ?2
