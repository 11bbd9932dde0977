-- The gateway gave this back without us. No row: refunds began or ended since somebody looked.
update payment
   set refunded_minor = refunded_minor + ?2
 where order_id = ?1
   and state = 'CAPTURED'
   and refunded_minor = ?3
   and refunding_minor = 0
   and refunded_minor + ?2 <= amount_minor
returning payment_id, order_id, user_id, method, currency, amount_minor, state, gateway_key, failure_code,
          refunded_minor, refunding_minor, decided_at,
          (select payment_key from confirmation where confirmation.order_id = payment.order_id) as window_key
