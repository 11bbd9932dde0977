-- Both sides of an entry.
insert into ledger_posting (entry_id, account, debit_minor, credit_minor)
values (?1, ?2, ?3, ?4), (?1, ?5, ?6, ?7)
