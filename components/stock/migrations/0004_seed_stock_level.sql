-- The three SKUs of the seeded products, counted on 2026-01-01T00:00:00Z.
insert into stock_level (sku_id, on_hand) values (1, 100), (2, 50), (3, 5)
on conflict (sku_id) do nothing;

insert into stock_history (sku_id, number, kind, order_id, quantity, on_hand, reserved, at) values
    (1, 1, 'INITIAL', null, 100, 100, 0, 1767225600000000),
    (2, 1, 'INITIAL', null, 50, 50, 0, 1767225600000000),
    (3, 1, 'INITIAL', null, 5, 5, 0, 1767225600000000)
on conflict (sku_id, number) do nothing;
