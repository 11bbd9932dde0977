-- What stood in `order_line_detail`, which nobody reads any more.
update order_line
   set category = detail.category, seller = detail.seller
  from order_line_detail detail
 where detail.order_id = order_line.order_id
   and detail.place = order_line.place
   and order_line.category is null;
