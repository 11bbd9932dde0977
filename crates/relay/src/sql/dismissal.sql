-- What became of a dead letter. No row: there is none of this number.
select replayed_at, dismissed_at, dismissed_by, dismissed_reason
  from dead_letter
 where dead_letter_id = ?1
