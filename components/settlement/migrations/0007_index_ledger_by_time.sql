-- expand: an index
-- What happened within a span of time, to be put on another day.
create index if not exists ledger_entry_by_time on ledger_entry (occurred_at);
