-- What products are grouped by.
create table if not exists category (
    category_id bigint not null,
    name text not null,
    constraint category_key primary key (category_id),
    constraint category_name unique (name)
);
