-- What up to ?3 changes of the SKU ?1 beyond the number ?2 add up to, and the number of the last of them.
select count(*) as changes,
       coalesce(max(change.number), 0) as number,
       cast(coalesce(sum(case change.kind
              when 'INITIAL' then change.quantity when 'RETURN' then change.quantity
              when 'MANUAL' then change.quantity when 'COMMIT' then -change.quantity else 0 end), 0) as bigint)
         as pieces
  from (select history.number, history.kind, history.quantity
          from stock_history history
         where history.sku_id = ?1
           and history.number > ?2
         order by history.number
         limit ?3) as change
