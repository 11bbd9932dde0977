-- Puts ?4 pieces more into the cart, as long as the line then has at most ?5 and the cart at most ?6
-- lines; answers how many the line has now. No row: one of the two limits says no, so ask how_full.sql which.
insert into cart_line (user_id, product_id, sku_id, quantity)
select cast(?1 as bigint), cast(?2 as bigint), cast(?3 as bigint), cast(?4 as bigint)
 where cast(?4 as bigint) <= ?5
   and (exists (select 1
                  from cart_line mine
                 where mine.user_id = ?1
                   and mine.product_id = ?2
                   and mine.sku_id = ?3)
        or (select count(*)
              from cart_line line
             where line.user_id = ?1) < ?6)
on conflict (user_id, product_id, sku_id) do update
   set quantity = cart_line.quantity + excluded.quantity
 where cart_line.quantity + excluded.quantity <= ?5
returning quantity
