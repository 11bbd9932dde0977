-- More, or less, moved on a day for a name. Nothing changed: it is the first.
update daily_share
   set total_minor = total_minor + ?4,
       payment_count = payment_count + ?5,
       refund_minor = refund_minor + ?6,
       refund_count = refund_count + ?7
 where day = ?1 and dimension = ?2 and name = ?3
