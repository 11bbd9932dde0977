-- Sets how many pieces a line has. No row changed: the line is not there, or not any more.
update cart_line
   set quantity = ?4
 where user_id = ?1
   and product_id = ?2
   and sku_id = ?3
