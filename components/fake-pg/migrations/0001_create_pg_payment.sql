-- What the gateway decided about an order, once and for good.
create table if not exists pg_payment (
  order_id integer not null primary key,
  currency text not null,
  asked_minor integer not null,
  state text not null,
  refusal_code text,
  cancelled_minor integer not null default 0,
  constraint pg_payment_state_known check (state in ('APPROVED', 'REFUSED')),
  constraint pg_payment_refused_has_code check ((state = 'REFUSED') = (refusal_code is not null)),
  constraint pg_payment_asked_positive check (asked_minor > 0),
  constraint pg_payment_cancelled_within_approved check (
    cancelled_minor >= 0 and cancelled_minor <= case state when 'APPROVED' then asked_minor else 0 end
  )
);
