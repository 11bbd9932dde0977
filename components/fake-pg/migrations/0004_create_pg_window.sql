-- The payments that customers began in the window, each under the key that the window gave it.
create table if not exists pg_window (
  order_id integer not null primary key references pg_payment (order_id),
  payment_key text not null,
  constraint pg_window_key_once unique (payment_key)
);
