-- A dead letter that was dealt with stays in the list, with the time.
update dead_letter set replayed_at = ?2 where dead_letter_id = ?1
