-- How many pieces of the SKU ?1 there are, how many its changes beyond the number ?2 add, and how many are held
-- beyond ?3.
select level.on_hand,
       (select cast(coalesce(sum(case history.kind
                 when 'INITIAL' then history.quantity when 'RETURN' then history.quantity
                 when 'MANUAL' then history.quantity when 'COMMIT' then -history.quantity else 0 end), 0) as bigint)
          from stock_history history
         where history.sku_id = level.sku_id
           and history.number > ?2) as added,
       (select cast(coalesce(sum(line.quantity), 0) as bigint)
          from reservation_line line
          join reservation goods on goods.order_id = line.order_id and goods.state = 'RESERVED'
         where line.sku_id = level.sku_id
           and line.held_until > ?3) as held
  from stock_level level
 where level.sku_id = ?1
