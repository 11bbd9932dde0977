-- What the ledger has of orders, and by how much their entries are out of balance.
select entry.order_id,
       cast(sum(case posting.account when 'SALES' then posting.credit_minor - posting.debit_minor else 0 end)
         as bigint) as captured_minor,
       cast(sum(case posting.account when 'REFUND' then posting.debit_minor - posting.credit_minor else 0 end)
         as bigint) as refunded_minor
  from ledger_entry entry
  join ledger_posting posting on posting.entry_id = entry.entry_id
 where {entry.order_id}
 group by entry.order_id
