-- The payment of an order. No row: never decided here.
select payment_id, order_id, user_id, method, currency, amount_minor, state, gateway_key, failure_code,
       refunded_minor, refunding_minor, decided_at
  from payment
 where order_id = ?1
