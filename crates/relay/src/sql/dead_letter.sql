-- One of them, with all of its payload. No row: there is none of this number.
select producer, event_id, payload
  from dead_letter
 where dead_letter_id = ?1
