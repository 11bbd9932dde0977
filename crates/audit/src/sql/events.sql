-- The events of a producer from beyond ?1 up to ?2, by their positions.
select event.position, event.event_id
  from outbox event
 where event.position > ?1
   and event.position <= ?2
 order by event.position
