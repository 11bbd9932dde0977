-- Money that the gateway will not give back though no payment of ours keeps it, as the last look found it.
create table if not exists stray_money (
  order_id integer not null primary key references payment (order_id),
  payment_key text not null,
  currency text not null,
  amount_minor integer not null,
  code text not null,
  since_at integer not null,
  constraint stray_money_amount_positive check (amount_minor > 0)
);
