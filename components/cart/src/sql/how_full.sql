-- How many lines the cart has, and how many pieces one of them; null when that one is not there.
select count(*) as lines,
       max(case when product_id = ?2 and sku_id = ?3 then quantity end) as quantity
  from cart_line
 where user_id = ?1
