-- Marks an order's sold goods as back in the house. No row changed: somebody was first, or they are not
-- sold, so load it again.
insert into taken_back (order_id, at)
select reservation.order_id, ?2
  from reservation
 where reservation.order_id = ?1
   and reservation.state = 'COMMITTED'
on conflict (order_id) do nothing
