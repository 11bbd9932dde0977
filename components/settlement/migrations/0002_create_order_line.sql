-- What an order's money was for: the weights by which it is shared.
create table if not exists order_line (
  order_id bigint not null,
  line_number bigint not null,
  category text not null,
  seller text not null,
  amount_minor bigint not null,
  primary key (order_id, line_number),
  constraint order_line_not_negative check (amount_minor >= 0)
);
