-- The lines of the orders from ?1 to ?2, in their order: of the user ?3, or of everybody when it is null.
-- What was not kept of old lines is empty.
select l.order_id, l.product_id, l.sku_id, l.name, l.unit_minor, l.quantity,
       coalesce(d.category, '') as category, coalesce(d.seller, '') as seller
  from order_line l
  left join order_line_detail d on d.order_id = l.order_id and d.place = l.place
 where l.order_id between ?1 and ?2
   and (?3 is null or l.order_id in (select order_id from customer_order where user_id = ?3))
 order by l.order_id, l.place
