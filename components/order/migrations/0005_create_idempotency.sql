-- Which order a client's Idempotency-Key made, and from what.
create table if not exists idempotency (
  user_id integer not null,
  idempotency_key text not null,
  command text not null,
  order_id integer not null references customer_order (order_id),
  primary key (user_id, idempotency_key)
);

create index if not exists idempotency_by_order on idempotency (order_id);
