-- Every SKU that is for sale and was named, directly or by its product.
select product.product_id, product.name, category.name as category, product.price_minor, product.currency,
       sku.sku_id
  from sku
  join product on product.product_id = sku.product_id
  join category on category.category_id = product.category_id
 where product.status = 'ON_SALE'
   and (sku.sku_id in ({skus}) or sku.product_id in ({products}))
