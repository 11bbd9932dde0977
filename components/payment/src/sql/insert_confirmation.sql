-- Remember under which key an order's payment was begun in the gateway's window.
insert into confirmation (order_id, payment_key)
values (?1, ?2)
