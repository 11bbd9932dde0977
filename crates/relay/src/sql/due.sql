-- Up to ?2 events that are due: new ones by their position, then those published before, longest due first.
-- They weigh up to ?3 bytes together; a heavier one comes alone, with its beginning.
select outbox.event_id, outbox.topic, outbox.key, outbox.position, outbox.occurred_at,
       substr(outbox.data, 1, cast(?3 as integer)) as data, outbox.traceparent, weighed.published, weighed.due_at
  from (
    select due.position, due.published, due.due_at, row_number() over by_time as place,
           sum(octet_length(outbox.data)) over by_time as weight
      from (
        select position, published, due_at
          from outbox_delivery
         where due_at <= ?1
         order by due_at, position
         limit ?2
      ) as due
      join outbox on outbox.position = due.position
    window by_time as (order by due.due_at, due.position)
  ) as weighed
  join outbox on outbox.position = weighed.position
 where weighed.place = 1 or weighed.weight <= ?3
 order by weighed.due_at, weighed.position
