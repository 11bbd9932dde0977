-- PLACE or CONFIRM to UNDO, before anything is given back: from now on the order can only fail, and with this
-- failure. No row changed: it is driven by somebody else.
update order_work
   set kind = 'UNDO', failure = ?3, failure_detail = ?4
 where order_id = ?1
   and lease_owner = ?2
   and kind in ('PLACE', 'CONFIRM')
