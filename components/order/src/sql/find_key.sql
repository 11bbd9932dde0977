-- What a client's key was used for, and what was answered. No row: it is new.
select command, order_id, status, headers, body
  from command_key
 where user_id = ?1
   and idempotency_key = ?2
