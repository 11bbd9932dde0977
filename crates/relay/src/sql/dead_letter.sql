-- One of them. No row: there is none of this number.
select dead_letter_id, received_at, producer, event_id, topic, position, payload, error, replayed_at
  from dead_letter
 where dead_letter_id = ?1
