-- Sums of the ledger by day, kept in the transaction of every entry. A limit keeps them exact in JSON.
create table if not exists daily_settlement (
  day text not null primary key,
  total_minor bigint not null,
  payment_count bigint not null,
  refund_minor bigint not null,
  refund_count bigint not null,
  constraint daily_settlement_total_in_range check (total_minor between 0 and 9007199254740991),
  constraint daily_settlement_refund_in_range check (refund_minor between 0 and 9007199254740991),
  constraint daily_settlement_counts check (payment_count >= 0 and refund_count >= 0)
);

-- The same by seller and by category, for the orders whose lines are known.
create table if not exists daily_share (
  day text not null,
  dimension text not null,
  name text not null,
  total_minor bigint not null,
  payment_count bigint not null,
  refund_minor bigint not null,
  refund_count bigint not null,
  primary key (dimension, day, name),
  constraint daily_share_dimension_known check (dimension in ('SELLER', 'CATEGORY')),
  constraint daily_share_total_in_range check (total_minor between 0 and 9007199254740991),
  constraint daily_share_refund_in_range check (refund_minor between 0 and 9007199254740991),
  constraint daily_share_counts check (payment_count >= 0 and refund_count >= 0)
);
