-- Refunds that were requested some time ago, are still under way, had by nobody and not resting, with
-- their payments.
select payment.payment_id, payment.order_id, payment.user_id, payment.method, payment.currency,
       payment.amount_minor, payment.state, payment.gateway_key, payment.failure_code,
       payment.refunded_minor, payment.refunding_minor, payment.decided_at,
       confirmation.payment_key as window_key,
       refund.refund_key, refund.amount_minor as refund_minor, refund.reason, refund.state as refund_state,
       refund.refusal_code, refund.requested_at, refund.decided_at as refund_decided_at
  from refund
  join payment on payment.order_id = refund.order_id
  left join confirmation on confirmation.order_id = payment.order_id
  left join refund_claim on refund_claim.order_id = refund.order_id
       and refund_claim.refund_key = refund.refund_key
 where refund.state = 'REQUESTED'
   and refund.requested_at <= ?1
   and coalesce(refund_claim.claimed_until, ?2) <= ?2
   and coalesce(refund_claim.rests_until, ?2) <= ?2
 order by refund.requested_at, refund.order_id, refund.refund_key
 limit ?3
