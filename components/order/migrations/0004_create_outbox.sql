-- Events of this domain, written with the change they tell of. `position` is given by the relay.
create table if not exists outbox (
  event_id text primary key,
  topic text not null,
  key text not null,
  occurred_at integer not null,
  data text not null,
  position integer,
  constraint outbox_position_once unique (position)
);
