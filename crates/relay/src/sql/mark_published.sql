-- Marks what due.sql chose. It is due again after 5 s, doubled with every publishing, 5 min at most.
update outbox_delivery
   set published = published + 1,
       published_at = ?1,
       due_at = ?1 + case when published >= 6 then 300000000 else 5000000 * (1 << published) end
 where position in (
   select position from outbox_delivery where due_at <= ?1 order by due_at, position limit ?2
 )
