-- The SKUs of these products.
select product_id, sku_id
  from sku
 where product_id in ({products})
 order by product_id, sku_id
