-- Take a look that is due for oneself: it is due again only then. Nothing changed: somebody was first.
update gateway_look
   set due_at = ?3
 where order_id = ?1
   and due_at = ?2
