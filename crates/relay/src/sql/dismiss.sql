-- Puts up with a dead letter. No row changed: it was replayed or dismissed before, or there is none of this number.
update dead_letter
   set dismissed_at = ?2, dismissed_by = ?3, dismissed_reason = ?4
 where dead_letter_id = ?1
   and replayed_at is null
   and dismissed_at is null
