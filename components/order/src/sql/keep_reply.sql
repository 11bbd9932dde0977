-- What a client is told, in the transaction that decides it. No row changed: its key has an answer.
update command_key
   set status = ?3, headers = ?4, body = ?5
 where user_id = ?1
   and idempotency_key = ?2
   and status is null
