-- Refunds that are under way, by the time they were asked for.
create index if not exists refund_requested on refund (requested_at, order_id, refund_key) where state = 'REQUESTED';
