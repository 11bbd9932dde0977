-- The payments of orders, with the sums beside them.
select payment.order_id, payment.state, payment.method, payment.amount_minor, payment.refunded_minor,
       payment.refunding_minor
  from payment
 where {payment.order_id}
