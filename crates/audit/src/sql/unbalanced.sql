-- Entries of orders that do not balance, or do not have two sides.
select entry.order_id, entry.entry_id, count(posting.account) as sides,
       cast(coalesce(sum(posting.debit_minor) - sum(posting.credit_minor), 0) as bigint) as off_minor
  from ledger_entry entry
  left join ledger_posting posting on posting.entry_id = entry.entry_id
 where {entry.order_id}
 group by entry.order_id, entry.entry_id
having count(posting.account) <> 2
    or sum(posting.debit_minor) <> sum(posting.credit_minor)
 order by entry.order_id, entry.entry_id
