-- The levels of those SKUs that exist, not counting what order ?2 holds. A hold counts until it expires,
-- by the same comparison that add_lines.sql makes.
select level.sku_id,
       level.on_hand,
       (select cast(coalesce(sum(held.quantity), 0) as bigint)
          from reservation_line held
         where held.sku_id = level.sku_id
           and held.held_until > ?1
           and held.order_id <> ?2) as reserved
  from stock_level level
 where level.sku_id in ({skus})
