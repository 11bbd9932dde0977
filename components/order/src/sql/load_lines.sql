-- The lines of these orders, in their order. What was not kept of old lines is empty.
select l.order_id, l.product_id, l.sku_id, l.name, l.unit_minor, l.quantity,
       coalesce(l.category, '') as category, coalesce(l.seller, '') as seller
  from order_line l
 where l.order_id in ({orders})
 order by l.order_id, l.place
