-- Every transition an order made, in its order.
create table if not exists order_history (
  order_id integer not null references customer_order (order_id),
  from_state text not null,
  to_state text not null,
  at integer not null,
  reason text,
  primary key (order_id, from_state, to_state, at)
);
