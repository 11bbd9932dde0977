-- Entries whose sides differ. No row: the ledger balances.
select entry.entry_id
  from ledger_entry entry
  left join ledger_posting posting on posting.entry_id = entry.entry_id
 group by entry.entry_id
having count(*) <> 2 or sum(posting.debit_minor) <> sum(posting.credit_minor)
 order by entry.entry_id
