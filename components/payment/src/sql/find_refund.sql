-- The payment of an order and, where there is one, its refund of this key. No row: never decided here.
select payment.payment_id, payment.order_id, payment.user_id, payment.method, payment.currency,
       payment.amount_minor, payment.state, payment.gateway_key, payment.failure_code,
       payment.refunded_minor, payment.refunding_minor, payment.decided_at,
       confirmation.payment_key as window_key,
       refund.refund_key, refund.amount_minor as refund_minor, refund.reason, refund.state as refund_state,
       refund.refusal_code, refund.requested_at, refund.decided_at as refund_decided_at
  from payment
  left join confirmation on confirmation.order_id = payment.order_id
  left join refund on refund.order_id = payment.order_id and refund.refund_key = ?2
 where payment.order_id = ?1
