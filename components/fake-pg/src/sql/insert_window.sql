-- Remember under which key an order was paid in the window. Nothing changed: another order has the key.
insert into pg_window (order_id, payment_key)
values (?1, ?2)
on conflict do nothing
