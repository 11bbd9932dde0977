-- A SKU's changes before the one with number ?2, newest first.
select number, kind, order_id, quantity, on_hand, reserved, at
  from stock_history
 where sku_id = ?1
   and number < ?2
 order by number desc
 limit ?3
