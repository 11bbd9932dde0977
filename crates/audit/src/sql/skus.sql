-- SKUs beyond ?1.
select level.sku_id
  from stock_level level
 where level.sku_id > ?1
 order by level.sku_id
 limit ?2
