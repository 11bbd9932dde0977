-- The trace in which an event was written (W3C Trace Context), so that whoever applies it can say what it goes
-- back to; none for an event that nobody traced. The same text for every producer (crates/relay).
alter table outbox add column traceparent text;
