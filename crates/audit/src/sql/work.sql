-- What is left to do for orders.
select work.order_id, work.kind, work.attempt, work.expires_at, case when work.stuck is null then 0 else 1 end as stuck
  from order_work work
 where {work.order_id}
