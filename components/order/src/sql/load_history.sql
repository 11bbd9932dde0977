-- The transitions of an order, in their order.
select from_state, to_state, at, reason
  from order_history
 where order_id = ?1
 order by at, case from_state when 'PENDING' then 0 else 1 end
