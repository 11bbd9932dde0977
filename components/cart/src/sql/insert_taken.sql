-- Marks an order's goods as taken out. No row changed: they were before, so nothing is left to do.
insert into cart_taken (order_id, at)
values (?1, ?2)
on conflict (order_id) do nothing
