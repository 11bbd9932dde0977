-- What moved for up to ?3 orders beyond ?1, up to ?2: entry and adjustments of a movement added up, by
-- the account that is not clearing. Sales are credits, refunds debits.
select entry.order_id, entry.movement_id, entry.occurred_at, posting.account,
       cast(sum(posting.credit_minor - posting.debit_minor) as bigint) as credit_minor,
       count(*) - 1 as adjustments
  from ledger_entry entry
  join ledger_posting posting on posting.entry_id = entry.entry_id and posting.account in ('SALES', 'REFUND')
 where entry.order_id in (
   select distinct order_id from ledger_entry where order_id > ?1 and order_id <= ?2 order by order_id limit ?3
 )
 group by entry.order_id, entry.movement_id, entry.occurred_at, posting.account
 order by entry.order_id, entry.movement_id
