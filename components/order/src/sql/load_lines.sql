-- The lines of a user's orders from ?2 to ?3, in their order.
select order_id, product_id, sku_id, name, unit_minor, quantity
  from order_line
 where order_id between ?2 and ?3
   and order_id in (select order_id from customer_order where user_id = ?1)
 order by order_id, place
