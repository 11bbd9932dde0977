-- Take a refund that is under way for oneself. Nothing changed: somebody else has it, by a claim or, where
-- there is none, by the promise until ?6.
insert into refund_claim (order_id, refund_key, claimed_until, rests_until)
select refund.order_id, refund.refund_key, ?4, ?5
  from refund
  left join refund_claim as held on held.order_id = refund.order_id and held.refund_key = refund.refund_key
 where refund.order_id = ?1
   and refund.refund_key = ?2
   and coalesce(held.claimed_until, ?6) <= ?3
on conflict (order_id, refund_key) do update
   set claimed_until = excluded.claimed_until, rests_until = excluded.rests_until
