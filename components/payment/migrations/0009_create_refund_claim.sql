-- Who carries a refund on has it alone until `claimed_until`; the job leaves it alone until `rests_until`.
-- Without a row, whoever promised the refund has it for a while. Rows go when the refund is decided.
create table if not exists refund_claim (
  order_id integer not null,
  refund_key text not null,
  claimed_until integer not null,
  rests_until integer not null,
  primary key (order_id, refund_key),
  foreign key (order_id, refund_key) references refund (order_id, refund_key)
);
