-- The newest days before ?1 on which something moved. What was adjusted away did not move.
select day, total_minor, payment_count, refund_minor, refund_count
  from daily_settlement
 where day < ?1 and payment_count + refund_count > 0
 order by day desc
 limit ?2
