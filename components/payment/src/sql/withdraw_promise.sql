-- Promised money stays after all.
update payment
   set refunding_minor = refunding_minor - ?2
 where order_id = ?1
