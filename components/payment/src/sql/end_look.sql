-- There is nothing to look for any more. Nothing changed: somebody has set another time.
delete from gateway_look
 where order_id = ?1
   and due_at = ?2
