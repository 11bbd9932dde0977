-- The order's reservation, one row per line; one row without a line for an order that was released
-- before anything was reserved; no row: the order is unknown.
select reservation.state, reservation.until, reservation.ended_at, taken_back.at as taken_back_at,
       line.sku_id, line.quantity
  from reservation
  left join taken_back on taken_back.order_id = reservation.order_id
  left join reservation_line line on line.order_id = reservation.order_id
 where reservation.order_id = ?1
 order by line.sku_id
