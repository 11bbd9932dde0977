-- Holds a PAID order, so that nobody decides it before the end of the transaction. No row changed: it is not
-- PAID.
update customer_order
   set changed_at = changed_at
 where order_id = ?1
   and state = 'PAID'
