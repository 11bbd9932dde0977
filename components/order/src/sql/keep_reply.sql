-- What the client is told, in the transaction that decides it. No row changed: no key waits for it.
update command_key
   set status = ?2, headers = ?3, body = ?4
 where order_id = ?1
   and status is null
