-- Ends a reservation that has not ended. No row changed: somebody was first, so load it again.
update reservation
   set state = ?2,
       ended_at = ?3
 where order_id = ?1
   and state = 'RESERVED'
