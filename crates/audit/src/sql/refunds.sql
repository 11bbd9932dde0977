-- What the refunds of orders add up to: done, done by admins, under way.
select refund.order_id, count(*) as refunds,
       cast(sum(case when refund.state = 'DONE' then refund.amount_minor else 0 end) as bigint) as done_minor,
       cast(sum(case when refund.state = 'DONE' and substr(refund.refund_key, 1, 6) = 'admin/'
                     then refund.amount_minor else 0 end) as bigint) as by_admins_minor,
       cast(sum(case when refund.state = 'REQUESTED' then refund.amount_minor else 0 end) as bigint)
         as requested_minor
  from refund
 where {refund.order_id}
 group by refund.order_id
