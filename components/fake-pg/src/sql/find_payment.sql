-- The record of an order. No row: never asked for.
select order_id, currency, asked_minor, state, refusal_code, cancelled_minor
  from pg_payment
 where order_id = ?1
