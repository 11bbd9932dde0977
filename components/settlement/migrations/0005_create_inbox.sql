-- What came from other domains; the same text for every consumer (crates/relay).
-- An event that was put aside has no `applied_at`, one that claimed another's place no `position`.
create table if not exists inbox (
  producer text not null,
  event_id text not null,
  position integer,
  applied_at integer,
  primary key (producer, event_id),
  constraint inbox_position_once unique (producer, position),
  constraint inbox_position_positive check (position > 0)
);

-- Up to here a producer's events are handled without a gap.
create table if not exists inbox_mark (
  producer text not null primary key,
  position integer not null
);

-- What could not be applied, for a person to look at. Without `event_id` it was no message at all.
create table if not exists dead_letter (
  dead_letter_id integer not null primary key,
  received_at integer not null,
  fingerprint text not null,
  producer text,
  event_id text,
  topic text,
  position integer,
  payload text not null,
  error text not null,
  replayed_at integer,
  constraint dead_letter_once unique (fingerprint),
  constraint dead_letter_names_its_event check ((event_id is null) = (producer is null))
);
