-- The newest before ?1, whatever became of them, each with the first ?3 characters of its payload.
select dead_letter_id, received_at, producer, event_id, topic, position,
       substr(payload, 1, cast(?3 as integer)) as payload, octet_length(payload) as payload_bytes, error, replayed_at,
       dismissed_at, dismissed_by, dismissed_reason
  from dead_letter
 where dead_letter_id < ?1
 order by dead_letter_id desc
 limit ?2
