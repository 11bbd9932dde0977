-- Puts an order's pieces back into the house.
update stock_level
   set on_hand = stock_level.on_hand + line.quantity
  from reservation_line line
 where line.order_id = ?1
   and line.sku_id = stock_level.sku_id
