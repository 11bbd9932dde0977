-- The book says again what the gateway says, so no refund of the order is missing in it any more.
update refund
   set refusal_code = ?3
 where order_id = ?1
   and state = 'REFUSED'
   and refusal_code = ?2
