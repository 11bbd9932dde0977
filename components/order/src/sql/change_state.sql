-- From ?2 to ?3. No row changed: somebody else decided this order first.
update customer_order
   set state = ?3, failure = ?4, failure_detail = ?5, changed_at = ?6
 where order_id = ?1
   and state = ?2
