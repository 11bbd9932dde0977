-- Nobody is held up by these orders' lines any more. They stay as the memory of what was asked for.
update reservation_line
   set held_until = null
 where order_id in ({orders})
