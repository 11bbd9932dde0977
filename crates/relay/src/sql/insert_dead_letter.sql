-- Puts something aside under the next number. No row changed: it was put aside before, or somebody else
-- took the number at this moment.
insert into dead_letter
  (dead_letter_id, received_at, fingerprint, producer, event_id, topic, position, payload, error)
select coalesce(max(dead_letter_id), 0) + 1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
  from dead_letter
 where true
on conflict do nothing
