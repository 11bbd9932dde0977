-- Keep a refund from being decided until the transaction ends. Nothing changed: it is decided.
update refund
   set state = 'REQUESTED'
 where order_id = ?1
   and refund_key = ?2
   and state = 'REQUESTED'
