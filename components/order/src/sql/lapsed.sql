-- Orders whose lease lies before ?1, longest first. Those to FINISH are taken together (take_finished).
select order_id
  from order_work
 where stuck is null
   and kind <> 'AWAIT'
   and kind <> 'FINISH'
   and lease_until < ?1
 order by lease_until
 limit ?2
