-- One order of one user. No row: there is none, or it is somebody else's.
select order_id, user_id, state, method, currency, total_minor, discount_minor, due_minor,
       failure, failure_detail, created_at, changed_at
  from customer_order
 where order_id = ?1
   and user_id = ?2
