-- The lines of an order, at the prices of the moment it was placed.
create table if not exists order_line (
  order_id integer not null references customer_order (order_id),
  place integer not null,
  product_id integer not null,
  sku_id integer not null,
  name text not null,
  unit_minor integer not null,
  quantity integer not null,
  amount_minor integer not null,
  primary key (order_id, place),
  constraint line_sku_once unique (order_id, sku_id),
  constraint line_quantity_positive check (quantity >= 1),
  constraint line_amount_adds_up check (amount_minor = unit_minor * quantity)
);
