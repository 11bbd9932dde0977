-- Give up the claim that ends at ?3, so that others need not wait for it. Nothing changed: it is not ours.
insert into refund_claim (order_id, refund_key, claimed_until, rests_until)
select refund.order_id, refund.refund_key, 0, 0
  from refund
  left join refund_claim as held on held.order_id = refund.order_id and held.refund_key = refund.refund_key
 where refund.order_id = ?1
   and refund.refund_key = ?2
   and refund.state = 'REQUESTED'
   and coalesce(held.claimed_until, ?4) = ?3
on conflict (order_id, refund_key) do update set claimed_until = excluded.claimed_until
