-- Money of an order that goes back, one row for each key of the caller.
create table if not exists refund (
  order_id integer not null references payment (order_id),
  refund_key text not null,
  amount_minor integer not null,
  reason text not null,
  state text not null,
  refusal_code text,
  requested_at integer not null,
  decided_at integer,
  primary key (order_id, refund_key),
  constraint refund_state_known check (state in ('REQUESTED', 'DONE', 'REFUSED')),
  constraint refund_amount_positive check (amount_minor > 0),
  constraint refund_refused_has_code check ((state = 'REFUSED') = (refusal_code is not null)),
  constraint refund_decided_has_time check ((state = 'REQUESTED') = (decided_at is null))
);
