-- The payment of an order. No row: never decided here.
select payment.payment_id, payment.order_id, payment.user_id, payment.method, payment.currency,
       payment.amount_minor, payment.state, payment.gateway_key, payment.failure_code,
       payment.refunded_minor, payment.refunding_minor, payment.decided_at,
       confirmation.payment_key as window_key
  from payment
  left join confirmation on confirmation.order_id = payment.order_id
 where payment.order_id = ?1
