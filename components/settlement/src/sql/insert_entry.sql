-- An entry of the journal. Nothing changed: it was entered before, by its event or by an admin.
insert into ledger_entry (entry_id, kind, movement_id, order_id, currency, occurred_at, day)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
on conflict (entry_id) do nothing
