-- How many pieces of a SKU are in the house, reserved ones included.
create table if not exists stock_level (
    sku_id bigint not null,
    on_hand bigint not null,
    constraint stock_level_key primary key (sku_id),
    constraint stock_level_on_hand check (on_hand between 0 and 4294967295)
);
