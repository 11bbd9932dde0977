-- Where these orders' reservations stand. No row for an order that has none.
select order_id, state
  from reservation
 where order_id in ({orders})
