-- An outage is no answer worth keeping: the client's key is free to try again.
delete from command_key
 where user_id = ?1
   and idempotency_key = ?2
   and status is null
