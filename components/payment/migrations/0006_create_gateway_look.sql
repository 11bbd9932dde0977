-- Orders that were decided without the gateway's money: it is looked up there again for some time.
create table if not exists gateway_look (
  order_id integer not null primary key references payment (order_id),
  look integer not null,
  due_at integer not null
);

create index if not exists gateway_look_by_time on gateway_look (due_at, order_id);
