-- Which orders the events beyond ?1 are about, in the order of their positions.
select event.position, event.key
  from outbox event
 where event.position > ?1
 order by event.position
 limit ?2
