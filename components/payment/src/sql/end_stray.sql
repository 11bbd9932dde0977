-- The gateway keeps nothing of this order that is not ours.
delete from stray_money
 where order_id = ?1
