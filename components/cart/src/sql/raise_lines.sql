-- Gives lines more pieces, as long as each has as many as before. Fewer rows changed than there are lines: one
-- has others by now or is gone, and the transaction must not stay.
with raised (product_id, sku_id, was, quantity) as (values {rows})
update cart_line
   set quantity = raised.quantity
  from raised
 where cart_line.user_id = ?1
   and cart_line.product_id = raised.product_id
   and cart_line.sku_id = raised.sku_id
   and cart_line.quantity = raised.was
