-- Orders beyond ?1 that somebody works on, or has to: stuck ones, and those whose time to pay ran out before ?2.
select work.order_id
  from order_work work
 where work.order_id > ?1
   and (work.stuck is not null
        or (work.kind <> 'FINISH' and (work.kind <> 'AWAIT' or work.expires_at < ?2)))
 order by work.order_id
 limit ?3
