-- A product, one row per SKU; one row without a SKU when it has none yet. No row: there is no such
-- product, or it is not for sale.
select product.product_id, product.name, category.name as category, product.price_minor, product.currency,
       sku.sku_id
  from product
  join category on category.category_id = product.category_id
  left join sku on sku.product_id = product.product_id
 where product.product_id = ?1
   and product.status = 'ON_SALE'
 order by sku.sku_id
