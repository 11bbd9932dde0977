-- Nothing is left to do for a PAID order. No row changed: somebody took it over, to give it back.
delete from order_work
 where order_id = ?1
   and lease_owner = ?2
   and kind = 'FINISH'
