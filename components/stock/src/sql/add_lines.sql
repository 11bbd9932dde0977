-- Holds the pieces of every line of which enough are free. Fewer rows changed than there are lines: some
-- SKU is unknown or short, and the transaction must not stay.
with wanted (sku_id, quantity) as (values {rows})
insert into reservation_line (order_id, sku_id, quantity, held_until)
select ?1, wanted.sku_id, wanted.quantity, ?2
  from wanted
  join stock_level level on level.sku_id = wanted.sku_id
 where level.on_hand - wanted.quantity >= (
           select coalesce(sum(held.quantity), 0)
             from reservation_line held
            where held.sku_id = wanted.sku_id
              and held.held_until > ?3)
