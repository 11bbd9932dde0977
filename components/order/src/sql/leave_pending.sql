-- PENDING to ?2. No row changed: somebody else decided this order first.
update customer_order
   set state = ?2, failure = ?3, failure_detail = ?4, changed_at = ?5
 where order_id = ?1
   and state = 'PENDING'
