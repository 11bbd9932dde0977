-- The lines of these orders, in their order. What was not kept of old lines is empty.
select l.order_id, l.product_id, l.sku_id, l.name, l.unit_minor, l.quantity,
       coalesce(d.category, '') as category, coalesce(d.seller, '') as seller
  from order_line l
  left join order_line_detail d on d.order_id = l.order_id and d.place = l.place
 where l.order_id in ({orders})
 order by l.order_id, l.place
