-- Marks what due.sql chose: all up to the last of them, which was due at ?2 and has position ?3.
-- It is due again after 5 s, doubled with every publishing, 5 min at most.
update outbox_delivery
   set published = published + 1,
       published_at = ?1,
       due_at = ?1 + case when published >= 6 then 300000000 else 5000000 * (1 << cast(published as integer)) end
 where (due_at, position) <= (?2, ?3)
