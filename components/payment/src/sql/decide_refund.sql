-- Finish a refund one way or the other. Nothing changed: it is not under way, somebody was first.
update refund
   set state = ?3, refusal_code = ?4, decided_at = ?5
 where order_id = ?1
   and refund_key = ?2
   and state = 'REQUESTED'
