-- The sum of the days from ?1 to ?2. No row: nothing moved.
select cast(sum(total_minor) as bigint) as total_minor, cast(sum(payment_count) as bigint) as payment_count,
       cast(sum(refund_minor) as bigint) as refund_minor, cast(sum(refund_count) as bigint) as refund_count
  from daily_settlement
 where day between ?1 and ?2
having sum(payment_count) + sum(refund_count) > 0
