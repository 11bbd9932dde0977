-- Orders whose time to pay had run out at ?1, longest first.
select order_id
  from order_work
 where kind = 'AWAIT'
   and expires_at <= ?1
 order by expires_at
 limit ?2
