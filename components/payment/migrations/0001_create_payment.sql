-- The one payment of an order, as it was decided.
create table if not exists payment (
  payment_id integer not null primary key,
  order_id integer not null,
  user_id integer not null,
  method text not null,
  currency text not null,
  amount_minor integer not null,
  state text not null,
  gateway_key text,
  failure_code text,
  refunded_minor integer not null default 0,
  refunding_minor integer not null default 0,
  decided_at integer not null,
  constraint payment_once_per_order unique (order_id),
  constraint payment_state_known check (state in ('CAPTURED', 'FAILED')),
  constraint payment_amount_positive check (amount_minor > 0),
  constraint payment_failed_has_code check ((state = 'FAILED') = (failure_code is not null)),
  constraint payment_key_only_when_captured check (gateway_key is null or state = 'CAPTURED'),
  constraint payment_refunds_within_captured check (
    refunded_minor >= 0
    and refunding_minor >= 0
    and refunded_minor + refunding_minor <= case state when 'CAPTURED' then amount_minor else 0 end
  )
);
