-- Write down which look comes next, and when. Nothing changed: somebody has set another time.
update gateway_look
   set look = ?3, due_at = ?4
 where order_id = ?1
   and due_at = ?2
