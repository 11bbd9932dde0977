-- The next numbers after ?1 for up to ?2 events that have none, oldest first. Answers how many there were.
-- The bound on the time holds always; it leads SQLite to the index that has the events in this order.
update outbox
   set position = ?1 + waiting.place
  from (
    select event_id as waiting_id, row_number() over (order by occurred_at, event_id) as place
      from outbox
     where position is null
       and occurred_at > -9223372036854775807
     order by occurred_at, event_id
     limit ?2
  ) as waiting
 where outbox.event_id = waiting.waiting_id
