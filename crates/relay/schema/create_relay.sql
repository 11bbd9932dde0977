-- How far the events of `outbox` have travelled; the same text for every producer (crates/relay).
-- `outbox_relay` is one row: whoever gives positions holds it until the end of the transaction.
create table if not exists outbox_relay (
  relay_id integer not null primary key,
  last_position integer not null,
  acknowledged integer not null,
  constraint outbox_relay_is_one_row check (relay_id = 1),
  constraint outbox_relay_acknowledged_was_given check (acknowledged between 0 and last_position)
);

insert into outbox_relay (relay_id, last_position, acknowledged) values (1, 0, 0)
on conflict (relay_id) do nothing;

-- An event that has its position and is not acknowledged yet. Never published ones are due since time 0.
create table if not exists outbox_delivery (
  position integer not null primary key,
  published integer not null default 0,
  published_at integer,
  due_at integer not null default 0,
  constraint outbox_delivery_published_has_time check ((published = 0) = (published_at is null))
);

create index if not exists outbox_delivery_by_time on outbox_delivery (due_at, position);

-- Those that wait for a position, in the order in which they get it.
create index if not exists outbox_without_position on outbox (position, occurred_at, event_id)
 where position is null;
