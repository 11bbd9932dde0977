-- The record of a payment's key and what was given back under one cancel key (null: nothing yet). A key
-- of our own names its order (?1), any other is a window's. No row: never asked for.
select payment.order_id, payment.currency, payment.asked_minor, payment.state, payment.refusal_code,
       payment.cancelled_minor, pg_window.payment_key, cancel.amount_minor as earlier_minor
  from pg_payment payment
  left join pg_window on pg_window.order_id = payment.order_id
  left join pg_cancel cancel on cancel.order_id = payment.order_id and cancel.cancel_key = ?3
 where payment.order_id = coalesce(?1, (select order_id from pg_window where payment_key = ?2))
