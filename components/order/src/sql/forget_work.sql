-- Nothing is left to do for these PAID orders. Not changed: those that somebody took over, to give them back.
delete from order_work
 where lease_owner = ?1
   and kind = 'FINISH'
   and order_id in ({orders})
