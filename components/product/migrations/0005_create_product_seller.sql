-- Who sells a product. One without a row is sold by the shop itself.
create table if not exists product_seller (
    product_id bigint not null,
    seller text not null,
    constraint product_seller_key primary key (product_id),
    constraint product_seller_product foreign key (product_id) references product (product_id),
    constraint product_seller_name check (length(seller) between 1 and 100)
);

insert into product_seller (product_id, seller) values (1, '보데가'), (2, '보데가'), (3, '보데가')
on conflict (product_id) do nothing;
