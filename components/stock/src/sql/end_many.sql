-- Commits those of the orders that are reserved and of whose goods no SKU is short, at ?1. A SKU is short when
-- it has fewer pieces than others hold, by the same comparison that ship.sql makes, and these orders want
-- together. No row back for an order: it has ended, or may have expired and must be asked alone.
with short as materialized (
       select level.sku_id
         from stock_level level
        where level.sku_id in (
              select line.sku_id
                from reservation_line line
               where line.order_id in ({orders}))
          and level.on_hand < (
              select coalesce(sum(held.quantity), 0)
                from reservation_line held
               where held.sku_id = level.sku_id
                 and held.held_until is not null
                 and (held.held_until > ?1 or held.order_id in ({orders}))))
update reservation
   set state = 'COMMITTED',
       ended_at = ?1
 where order_id in ({orders})
   and state = 'RESERVED'
   and not exists (
       select 1
         from reservation_line line
        where line.order_id = reservation.order_id
          and line.sku_id in (select sku_id from short))
returning order_id
