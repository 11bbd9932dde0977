-- An outage is no answer worth keeping: the client's key is free to try again.
delete from command_key
 where order_id = ?1
   and status is null
