-- What the gateway holds of orders.
select paid.order_id, paid.asked_minor - paid.cancelled_minor as held_minor
  from pg_payment paid
 where {paid.order_id}
   and paid.state = 'APPROVED'
