-- Why an order is CANCELLED, and what a person said about it.
create table if not exists order_cancellation (
  order_id integer primary key references customer_order (order_id),
  reason text not null,
  note text,
  constraint cancellation_reason_known check (reason in ('CUSTOMER', 'ADMIN', 'EXPIRED', 'SOLD_OUT'))
);
