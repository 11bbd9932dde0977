-- Promised money has been given back.
update payment
   set refunding_minor = refunding_minor - ?2, refunded_minor = refunded_minor + ?2
 where order_id = ?1
returning payment_id, order_id, user_id, method, currency, amount_minor, state, gateway_key, failure_code,
          refunded_minor, refunding_minor, decided_at,
          (select payment_key from confirmation where confirmation.order_id = payment.order_id) as window_key
