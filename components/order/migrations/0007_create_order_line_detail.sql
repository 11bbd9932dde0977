-- Of whom and of what kind the goods of a line are: settlements and rankings are sums over these. Lines
-- that are older than this table have none.
create table if not exists order_line_detail (
  order_id integer not null,
  place integer not null,
  category text not null,
  seller text not null,
  primary key (order_id, place),
  foreign key (order_id, place) references order_line (order_id, place)
);
