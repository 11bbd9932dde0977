-- How far the events of a producer are. No row: it has never had any.
select relay.acknowledged,
       (select coalesce(max(event.position), 0) from outbox event) as newest,
       relay.last_position
  from outbox_relay relay
 where relay.relay_id = 1
