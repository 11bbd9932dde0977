-- All lines of one customer. No row: the cart is empty.
select product_id, sku_id, quantity
  from cart_line
 where user_id = ?1
 order by product_id, sku_id
