-- How often an order met a rule that holds only for its first calls.
create table if not exists pg_rule_count (
  order_id integer not null,
  rule text not null,
  calls integer not null,
  primary key (order_id, rule)
);
