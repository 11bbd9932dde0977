-- Puts lines into a cart that did not have them. Fewer rows changed than there are lines: it has one by now,
-- and the transaction must not stay.
with fresh (product_id, sku_id, quantity) as (values {rows})
insert into cart_line (user_id, product_id, sku_id, quantity)
select cast(?1 as bigint), fresh.product_id, fresh.sku_id, fresh.quantity
  from fresh
 where true
on conflict (user_id, product_id, sku_id) do nothing
