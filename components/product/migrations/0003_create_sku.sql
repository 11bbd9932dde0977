-- What is put into the parcel: a simple product has one SKU.
create table if not exists sku (
    sku_id bigint not null,
    product_id bigint not null,
    constraint sku_key primary key (sku_id),
    constraint sku_product foreign key (product_id) references product (product_id)
);

create index if not exists sku_by_product on sku (product_id, sku_id);
