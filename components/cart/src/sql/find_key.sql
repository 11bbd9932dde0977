-- What a client's key was used for, and the answer: the line to which pieces were put, or with `merged` that of
-- a merge. No row: it is new.
select command, product_id, sku_id, quantity, cast(null as text) as merged
  from cart_key
 where user_id = ?1
   and idempotency_key = ?2
 union all
select command, null, null, null, answer
  from cart_merge
 where user_id = ?1
   and idempotency_key = ?2
