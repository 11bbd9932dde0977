-- Orders whose goods were taken out of a cart, each once.
create table if not exists cart_taken (
    order_id bigint not null,
    at bigint not null,
    constraint cart_taken_key primary key (order_id)
);
