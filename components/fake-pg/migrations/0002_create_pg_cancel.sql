-- Money given back, one row for each cancel key.
create table if not exists pg_cancel (
  order_id integer not null references pg_payment (order_id),
  cancel_key text not null,
  amount_minor integer not null,
  reason text not null,
  primary key (order_id, cancel_key),
  constraint pg_cancel_amount_positive check (amount_minor > 0)
);
