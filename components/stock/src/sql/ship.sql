-- Takes an order's pieces out of the house, as far as nobody else holds them: by the same comparison that
-- add_lines.sql makes. Fewer rows changed than there are lines: the hold had expired and some of its pieces
-- are somebody else's by now, so the transaction must not stay.
update stock_level
   set on_hand = stock_level.on_hand - line.quantity
  from reservation_line line
 where line.order_id = ?1
   and line.sku_id = stock_level.sku_id
   and stock_level.on_hand - line.quantity >= (
           select coalesce(sum(held.quantity), 0)
             from reservation_line held
            where held.sku_id = stock_level.sku_id
              and held.held_until > ?2
              and held.order_id <> ?1)
