-- What the sums were made with: `timezone` decides which day a movement belongs to.
create table if not exists setting (
  name text not null primary key,
  value text not null
);
