-- How many orders of the customer ?1 wait for a payment, or are about to.
select count(*) as waiting
  from order_work
 where user_id = ?1
   and expires_at is not null
   and kind in ('PLACE', 'AWAIT')
