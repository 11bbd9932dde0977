-- Every SKU that is for sale and was named, directly or by its product; the seller is null where the shop
-- itself sells.
select product.product_id, product.name, category.name as category, product.price_minor, product.currency,
       sku.sku_id, product_seller.seller
  from sku
  join product on product.product_id = sku.product_id
  join category on category.category_id = product.category_id
  left join product_seller on product_seller.product_id = product.product_id
 where product.status = 'ON_SALE'
   and (sku.sku_id in ({skus}) or sku.product_id in ({products}))
