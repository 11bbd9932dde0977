-- One row for every line of an order, with the counts as they are now. A violated
-- stock_history_not_oversold: more is held than there is, so the change must not stay.
insert into stock_history (sku_id, number, kind, order_id, quantity, on_hand, reserved, at)
select line.sku_id,
       (select coalesce(max(earlier.number), 0) + 1
          from stock_history earlier
         where earlier.sku_id = line.sku_id),
       ?2,
       line.order_id,
       line.quantity,
       level.on_hand,
       (select cast(coalesce(sum(held.quantity), 0) as bigint)
          from reservation_line held
         where held.sku_id = line.sku_id
           and held.held_until > ?3),
       ?3
  from reservation_line line
  join stock_level level on level.sku_id = line.sku_id
 where line.order_id = ?1
