-- What is for sale. `name_folded` is the name as `domain::fold` writes it: databases disagree about the
-- case of letters outside ASCII, so they are not asked.
create table if not exists product (
    product_id bigint not null,
    name text not null,
    name_folded text not null,
    category_id bigint not null,
    price_minor bigint not null,
    currency text not null,
    status text not null,
    constraint product_key primary key (product_id),
    constraint product_category foreign key (category_id) references category (category_id),
    constraint product_name check (length(name) between 1 and 100),
    constraint product_price check (price_minor between 1 and 9007199254740991),
    constraint product_currency check (currency in ('KRW')),
    constraint product_status check (status in ('ON_SALE', 'HIDDEN'))
);

-- Lists go along these, so that a page costs the same wherever it begins.
create index if not exists product_by_price on product (price_minor, product_id);
create index if not exists product_by_name on product (name_folded, product_id);
