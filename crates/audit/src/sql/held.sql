-- How many pieces are held for orders, expired holds included.
select line.order_id, cast(sum(line.quantity) as bigint) as pieces
  from reservation_line line
 where {line.order_id}
   and line.held_until is not null
 group by line.order_id
