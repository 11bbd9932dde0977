-- What a client's key was used for, and the answer. No row: it is new.
select command, product_id, sku_id, quantity
  from cart_key
 where user_id = ?1
   and idempotency_key = ?2
