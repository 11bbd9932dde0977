-- What is to be done for a PENDING order, with its first lease. No row changed: the customer's cart is being
-- bought already, or ?9 of the customer's orders wait for a payment (?5 says that this one is to wait too).
insert into order_work (
  order_id, user_id, kind, attempt, lease_owner, lease_until, expires_at, from_cart, key_user_id,
  idempotency_key)
select cast(?1 as bigint), cast(?2 as bigint), 'PLACE', 1, cast(?3 as bigint), cast(?4 as bigint),
       cast(?5 as bigint), cast(?6 as bigint), cast(?7 as bigint), cast(?8 as text)
 where cast(?5 as bigint) is null
    or ?9 > (
       select count(*)
         from order_work waiting
        where waiting.user_id = ?2
          and waiting.expires_at is not null
          and waiting.kind in ('PLACE', 'AWAIT'))
on conflict do nothing
