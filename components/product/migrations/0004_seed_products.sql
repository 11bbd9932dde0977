-- Three products to begin with; their pieces are counted by the stock's own seed.
insert into category (category_id, name) values (1, '전자'), (2, '생활'), (3, '식품')
on conflict (category_id) do nothing;

insert into product (product_id, name, name_folded, category_id, price_minor, currency, status) values
    (1, '테스트 상품 A', '테스트 상품 a', 1, 10000, 'KRW', 'ON_SALE'),
    (2, '테스트 상품 B', '테스트 상품 b', 2, 25000, 'KRW', 'ON_SALE'),
    (3, '테스트 상품 C', '테스트 상품 c', 3, 5000, 'KRW', 'ON_SALE')
on conflict (product_id) do nothing;

insert into sku (sku_id, product_id) values (1, 1), (2, 2), (3, 3)
on conflict (sku_id) do nothing;
