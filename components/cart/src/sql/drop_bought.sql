-- Removes the lines of which everything was bought.
with bought (product_id, sku_id, quantity) as (values {rows})
delete from cart_line
 where cart_line.user_id = ?1
   and exists (select 1
                 from bought
                where bought.product_id = cart_line.product_id
                  and bought.sku_id = cart_line.sku_id
                  and bought.quantity >= cart_line.quantity)
