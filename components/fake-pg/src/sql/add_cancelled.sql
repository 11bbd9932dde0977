-- Give money back. Nothing changed: less than that is left.
update pg_payment
   set cancelled_minor = cancelled_minor + ?2
 where order_id = ?1
   and currency = ?3
   and state = 'APPROVED'
   and cancelled_minor + ?2 <= asked_minor
