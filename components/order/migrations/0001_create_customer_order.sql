-- An order and where it stands. PENDING is on disk before anything is reserved or charged: it is the
-- intent of the whole checkout. `lease_until` says until when the request that wrote it drives it.
create table if not exists customer_order (
  order_id integer primary key,
  user_id integer not null,
  state text not null,
  method text not null,
  currency text not null,
  total_minor integer not null,
  discount_minor integer not null,
  due_minor integer not null,
  failure text,
  failure_detail text,
  lease_until integer not null,
  created_at integer not null,
  changed_at integer not null,
  constraint order_state_known check (state in (
    'PENDING', 'PAID', 'FAILED', 'CANCELLED', 'SHIPPING', 'DELIVERED',
    'RETURN_REQUESTED', 'RETURN_APPROVED', 'RETURN_IN_TRANSIT', 'RETURNED',
    'EXCHANGE_REQUESTED', 'EXCHANGE_APPROVED', 'EXCHANGE_COLLECTING', 'EXCHANGE_COLLECTED',
    'EXCHANGE_SHIPPING', 'EXCHANGED')),
  constraint order_method_known check (method in ('CARD', 'POINT', 'CASH', 'PG')),
  constraint order_due_adds_up check (due_minor = total_minor - discount_minor),
  constraint order_amounts_not_negative check (total_minor >= 0 and discount_minor >= 0 and due_minor >= 0),
  constraint order_failure_has_reason check ((state = 'FAILED') = (failure is not null))
);

create index if not exists customer_order_by_user on customer_order (user_id, order_id);

-- What recovery looks for: checkouts left behind.
create index if not exists customer_order_pending on customer_order (lease_until) where state = 'PENDING';
