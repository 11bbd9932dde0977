-- Orders, what their lines add up to, and whether their state was told to others. `{...}` says which orders.
select o.order_id, o.state, o.total_minor, o.due_minor,
       (select cast(coalesce(sum(line.unit_minor * line.quantity), 0) as bigint)
          from order_line line
         where line.order_id = o.order_id) as lines_minor,
       (select cast(coalesce(sum(line.quantity), 0) as bigint)
          from order_line line
         where line.order_id = o.order_id) as pieces,
       (select count(*)
          from outbox event
         where event.event_id = case o.state
                 when 'PENDING' then 'order.created:'
                 when 'PAID' then 'order.paid:'
                 when 'FAILED' then 'order.failed:'
                 when 'CANCELLED' then 'order.cancelled:'
               end || o.order_id) as told
  from customer_order o
 where {o.order_id}
