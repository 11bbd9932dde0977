-- The record of an order; the key is null where the payment has our own name. No row: never asked for.
select payment.order_id, payment.currency, payment.asked_minor, payment.state, payment.refusal_code,
       payment.cancelled_minor, pg_window.payment_key
  from pg_payment payment
  left join pg_window on pg_window.order_id = payment.order_id
 where payment.order_id = ?1
