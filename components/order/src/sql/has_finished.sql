-- Whether any order to FINISH has a lease that lies before ?1: a read, so that a quiet second writes nothing.
select 1 as due
  from order_work
 where stuck is null
   and kind = 'FINISH'
   and lease_until < ?1
 limit 1
