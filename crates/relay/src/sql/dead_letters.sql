-- The newest before ?1, replayed or not.
select dead_letter_id, received_at, producer, event_id, topic, position, payload, error, replayed_at
  from dead_letter
 where dead_letter_id < ?1
 order by dead_letter_id desc
 limit ?2
