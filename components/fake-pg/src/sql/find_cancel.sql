-- The record of an order and what was given back under one key (null: nothing yet). No row: never asked for.
select payment.order_id, payment.currency, payment.asked_minor, payment.state, payment.refusal_code,
       payment.cancelled_minor, cancel.amount_minor as earlier_minor
  from pg_payment payment
  left join pg_cancel cancel on cancel.order_id = payment.order_id and cancel.cancel_key = ?2
 where payment.order_id = ?1
