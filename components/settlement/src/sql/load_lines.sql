-- The lines of the orders beyond ?1, up to ?2.
select order_id, category, seller, amount_minor
  from order_line
 where order_id > ?1 and order_id <= ?2
 order by order_id, line_number
