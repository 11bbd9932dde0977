-- A refund was decided: nobody has to carry it on.
delete from refund_claim
 where order_id = ?1
   and refund_key = ?2
