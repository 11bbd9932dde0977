-- What is for sale and passes every filter that is not null, from a position on.
select product.product_id, product.name, category.name as category, product.price_minor, product.currency
  from product
  join category on category.category_id = product.category_id
 where product.status = 'ON_SALE'
   and (cast(?1 as text) is null or product.name_folded like ?1 escape '\')
   and (cast(?2 as text) is null or category.name = ?2)
   and (cast(?3 as bigint) is null or product.price_minor >= ?3)
   and (cast(?4 as bigint) is null or product.price_minor <= ?4)
   and {behind}
 order by {order}
 limit ?5
