-- When the first entry from ?1 on happened; null when there is none.
select min(occurred_at) as occurred_at from ledger_entry where occurred_at >= ?1
