-- Days whose kept sums are not those of the ledger.
with summed (day, total_minor, refund_minor) as (
  select entry.day,
         cast(sum(case posting.account
                when 'SALES' then posting.credit_minor - posting.debit_minor else 0 end) as bigint),
         cast(sum(case posting.account
                when 'REFUND' then posting.debit_minor - posting.credit_minor else 0 end) as bigint)
    from ledger_entry entry
    join ledger_posting posting on posting.entry_id = entry.entry_id
   group by entry.day)
select coalesce(summed.day, kept.day) as day,
       coalesce(summed.total_minor, 0) as total_minor, coalesce(kept.total_minor, 0) as kept_total_minor,
       coalesce(summed.refund_minor, 0) as refund_minor, coalesce(kept.refund_minor, 0) as kept_refund_minor
  from summed
  full join daily_settlement kept on kept.day = summed.day
 where coalesce(summed.total_minor, 0) <> coalesce(kept.total_minor, 0)
    or coalesce(summed.refund_minor, 0) <> coalesce(kept.refund_minor, 0)
 order by 1
