-- When the event at a position occurred. No row: there is none.
select event.occurred_at
  from outbox event
 where event.position = ?1
