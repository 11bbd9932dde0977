-- Takes what was bought from the lines that have more than that.
with bought (product_id, sku_id, quantity) as (values {rows})
update cart_line
   set quantity = cart_line.quantity - bought.quantity
  from bought
 where cart_line.user_id = ?1
   and bought.product_id = cart_line.product_id
   and bought.sku_id = cart_line.sku_id
   and bought.quantity < cart_line.quantity
