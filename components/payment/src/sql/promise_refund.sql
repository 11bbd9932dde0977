-- Set money aside for a refund. Nothing changed: less than that is left.
update payment
   set refunding_minor = refunding_minor + ?2
 where order_id = ?1
   and currency = ?3
   and state = 'CAPTURED'
   and refunded_minor + refunding_minor + ?2 <= amount_minor
