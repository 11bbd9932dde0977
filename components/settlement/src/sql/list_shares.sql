-- What moved on the days from ?2 to ?3 for the names of a dimension behind ?4.
select name,
       cast(sum(total_minor) as bigint) as total_minor, cast(sum(payment_count) as bigint) as payment_count,
       cast(sum(refund_minor) as bigint) as refund_minor, cast(sum(refund_count) as bigint) as refund_count
  from daily_share
 where dimension = ?1 and day between ?2 and ?3 and name > ?4
 group by name
having sum(payment_count) + sum(refund_count) > 0
 order by name
 limit ?5
