-- Remembers what a client's key did. No row changed: it was used before, and the transaction must not stay.
insert into cart_key (user_id, idempotency_key, command, product_id, sku_id, quantity, at)
select cast(?1 as bigint), cast(?2 as text), cast(?3 as text), cast(?4 as bigint), cast(?5 as bigint),
       cast(?6 as bigint), cast(?7 as bigint)
 where not exists (select 1
                     from cart_merge
                    where cart_merge.user_id = ?1
                      and cart_merge.idempotency_key = ?2)
on conflict (user_id, idempotency_key) do nothing
