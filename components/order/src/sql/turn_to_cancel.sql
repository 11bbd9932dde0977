-- FINISH to CANCEL by its owner: the goods of a PAID order are gone. No row changed: it is driven by
-- somebody else.
update order_work
   set kind = 'CANCEL', reason = ?3, note = null
 where order_id = ?1
   and lease_owner = ?2
   and kind = 'FINISH'
