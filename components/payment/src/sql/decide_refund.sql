-- Finish a refund one way or the other. Nothing changed: it is not as it was, somebody was first.
update refund
   set state = ?3, refusal_code = ?4, decided_at = ?5
 where order_id = ?1
   and refund_key = ?2
   and state = ?6
