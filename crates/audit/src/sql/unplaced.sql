-- Events that have no position yet, beyond the id ?1.
select event.event_id
  from outbox event
 where event.position is null
   and event.event_id > ?1
 order by event.event_id
 limit ?2
