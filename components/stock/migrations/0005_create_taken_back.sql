-- Orders whose sold goods came back, each once. Their reservation stays COMMITTED: it was sold.
create table if not exists taken_back (
    order_id bigint not null,
    at bigint not null,
    constraint taken_back_key primary key (order_id),
    constraint taken_back_order foreign key (order_id) references reservation (order_id)
);
