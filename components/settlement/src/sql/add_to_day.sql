-- More, or less, moved on a day; answers what it came to. No row back: it is the first that moved on it.
update daily_settlement
   set total_minor = total_minor + ?2,
       payment_count = payment_count + ?3,
       refund_minor = refund_minor + ?4,
       refund_count = refund_count + ?5
 where day = ?1
returning total_minor, payment_count, refund_minor, refund_count
