-- Up to ?2 events that are due: new ones by their position, then those published before, longest due first.
select outbox.event_id, outbox.topic, outbox.key, outbox.position, outbox.occurred_at, outbox.data,
       outbox_delivery.published
  from outbox_delivery
  join outbox on outbox.position = outbox_delivery.position
 where outbox_delivery.due_at <= ?1
 order by outbox_delivery.due_at, outbox_delivery.position
 limit ?2
