-- AWAIT to EXPIRE, once the time to pay has run out. No row changed: it has not, or somebody was first.
update order_work
   set kind = 'EXPIRE', lease_owner = ?2, lease_until = ?3
 where order_id = ?1
   and kind = 'AWAIT'
   and expires_at <= ?4
