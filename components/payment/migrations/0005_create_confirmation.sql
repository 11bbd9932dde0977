-- Under which key an order's payment was begun in the gateway's window, also where it failed.
create table if not exists confirmation (
  order_id integer not null primary key references payment (order_id),
  payment_key text not null
);
