-- A user's orders before ?2, newest first; ids follow time.
select order_id, user_id, state, method, currency, total_minor, discount_minor, due_minor,
       failure, failure_detail, created_at, changed_at
  from customer_order
 where user_id = ?1
   and order_id < ?2
 order by order_id desc
 limit ?3
