-- Money that should have gone back and did not, beyond a place in the list: what the gateway keeps without a
-- payment, and refused refunds until as much went back later, or everything did.
select since_at, order_id, kind, stuck_key, currency, amount_minor, code
  from (select since_at, order_id, 'STRAY' as kind, payment_key as stuck_key, currency, amount_minor, code
          from stray_money
        union all
        select refund.decided_at, refund.order_id, 'REFUND', refund.refund_key, payment.currency,
               refund.amount_minor, refund.refusal_code
          from refund
          join payment on payment.order_id = refund.order_id
         where refund.state = 'REFUSED'
           and (refund.refusal_code = ?6
                or (payment.refunded_minor < payment.amount_minor
                    and refund.amount_minor > (select coalesce(sum(later.amount_minor), 0)
                                                 from refund as later
                                                where later.order_id = refund.order_id
                                                  and later.state = 'DONE'
                                                  and later.decided_at >= refund.decided_at)))
       ) as stuck
 where (since_at, order_id, kind, stuck_key) > (?1, ?2, ?3, ?4)
 order by since_at, order_id, kind, stuck_key
 limit ?5
