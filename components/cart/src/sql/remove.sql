-- Takes one SKU of a product out, or with null all of them. No row changed: there was none.
delete from cart_line
 where user_id = ?1
   and product_id = ?2
   and (cast(?3 as bigint) is null or sku_id = ?3)
