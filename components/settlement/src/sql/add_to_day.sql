-- More, or less, moved on a day. Nothing changed: it is the first that moved on it.
update daily_settlement
   set total_minor = total_minor + ?2,
       payment_count = payment_count + ?3,
       refund_minor = refund_minor + ?4,
       refund_count = refund_count + ?5
 where day = ?1
