-- Looks that are due.
select order_id, look, due_at
  from gateway_look
 where due_at <= ?1
 order by due_at, order_id
 limit ?2
