-- A person has to look: recovery leaves this work alone. No row changed: it is driven by somebody else.
update order_work
   set stuck = ?3, stuck_reason = ?4
 where order_id = ?1
   and lease_owner = ?2
