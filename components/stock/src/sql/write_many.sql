-- One row for every line of orders that were just committed, shipped and not let go yet, at ?1: as if they had
-- been committed one after the other, each with the counts after it. The counts are those after all of them, so what
-- goes out later is added again.
with counts as materialized (
       select level.sku_id,
              level.on_hand,
              (select coalesce(max(earlier.number), 0)
                 from stock_history earlier
                where earlier.sku_id = level.sku_id) as number,
              (select cast(coalesce(sum(held.quantity), 0) as bigint)
                 from reservation_line held
                where held.sku_id = level.sku_id
                  and held.held_until > ?1) as reserved
         from stock_level level
        where level.sku_id in (
              select line.sku_id
                from reservation_line line
               where line.order_id in ({orders})))
insert into stock_history (sku_id, number, kind, order_id, quantity, on_hand, reserved, at)
select line.sku_id,
       counts.number + row_number() over one_by_one,
       'COMMIT',
       line.order_id,
       line.quantity,
       counts.on_hand
         + cast(sum(line.quantity) over (partition by line.sku_id) as bigint)
         - cast(sum(line.quantity) over one_by_one as bigint),
       counts.reserved
         - cast(sum(case when line.held_until > ?1 then line.quantity else 0 end) over one_by_one as bigint),
       ?1
  from reservation_line line
  join counts on counts.sku_id = line.sku_id
 where line.order_id in ({orders})
window one_by_one as (partition by line.sku_id order by line.order_id)
