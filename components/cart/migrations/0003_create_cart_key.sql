-- What a client's Idempotency-Key put into its cart, and the line that was the answer.
create table if not exists cart_key (
    user_id bigint not null,
    idempotency_key text not null,
    command text not null,
    product_id bigint not null,
    sku_id bigint not null,
    quantity bigint not null,
    at bigint not null,
    constraint cart_key_key primary key (user_id, idempotency_key),
    constraint cart_key_text check (length(idempotency_key) between 1 and 255),
    constraint cart_key_quantity check (quantity between 1 and 1000000)
);
