-- Nothing is left to do for an order that failed. No row changed: it is driven by somebody else.
delete from order_work
 where order_id = ?1
   and lease_owner = ?2
   and kind in ('PLACE', 'CONFIRM', 'UNDO')
