-- Takes the pieces of orders that were just committed out of the house.
update stock_level
   set on_hand = stock_level.on_hand - sold.quantity
  from (
       select line.sku_id, cast(sum(line.quantity) as bigint) as quantity
         from reservation_line line
        where line.order_id in ({orders})
        group by line.sku_id) sold
 where sold.sku_id = stock_level.sku_id
