-- What happened from ?2 on and before ?3 belongs to the day ?1.
update ledger_entry
   set day = ?1
 where occurred_at >= ?2
   and occurred_at < ?3
   and day <> ?1
