-- Refunds about which the gateway is silent are left alone for a while, so that others get their turn.
create table if not exists refund_pause (
  order_id integer not null,
  refund_key text not null,
  until_at integer not null,
  primary key (order_id, refund_key),
  foreign key (order_id, refund_key) references refund (order_id, refund_key)
);
