-- Claims an event that was put aside. No row changed: somebody applied it meanwhile.
update inbox set applied_at = ?3
 where producer = ?1 and event_id = ?2 and applied_at is null
