-- What each customer means to buy, one row per SKU.
create table if not exists cart_line (
    user_id bigint not null,
    product_id bigint not null,
    sku_id bigint not null,
    quantity bigint not null,
    constraint cart_line_key primary key (user_id, product_id, sku_id),
    constraint cart_line_quantity check (quantity between 1 and 1000000)
);
