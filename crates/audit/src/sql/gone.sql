-- How many pieces of orders are out of the house, by the history. The condition on the kind is that of the index.
select history.order_id,
       cast(sum(case history.kind when 'COMMIT' then history.quantity else -history.quantity end) as bigint)
         as pieces
  from stock_history history
 where {history.order_id}
   and history.kind in ('COMMIT', 'RETURN')
 group by history.order_id
