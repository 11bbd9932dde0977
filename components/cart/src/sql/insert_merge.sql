-- Remembers what a client's key merged. No row changed: it was used before, and the transaction must not stay.
insert into cart_merge (user_id, idempotency_key, command, answer, at)
select cast(?1 as bigint), cast(?2 as text), cast(?3 as text), cast(?4 as text), cast(?5 as bigint)
 where not exists (select 1
                     from cart_key
                    where cart_key.user_id = ?1
                      and cart_key.idempotency_key = ?2)
on conflict (user_id, idempotency_key) do nothing
