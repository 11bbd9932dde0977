-- The newest months before ?1 in which something moved.
select substr(day, 1, 7) as month,
       cast(sum(total_minor) as bigint) as total_minor, cast(sum(payment_count) as bigint) as payment_count,
       cast(sum(refund_minor) as bigint) as refund_minor, cast(sum(refund_count) as bigint) as refund_count
  from daily_settlement
 where day < ?1
 group by substr(day, 1, 7)
having sum(payment_count) + sum(refund_count) > 0
 order by substr(day, 1, 7) desc
 limit ?2
