-- Whether any event about the money of an order is still on its way: without a position, or not acknowledged. Its
-- payment is told under the id ?1, its refunds between ?2 and ?3.
select count(*) as events
  from outbox event
  join outbox_relay relay on relay.relay_id = 1
 where (event.event_id = ?1 or (event.event_id > ?2 and event.event_id < ?3))
   and (event.position is null or event.position > relay.acknowledged)
