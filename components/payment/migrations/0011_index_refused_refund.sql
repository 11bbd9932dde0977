-- Refunds that the gateway refused, by the time it did.
create index if not exists refund_refused on refund (decided_at, order_id, refund_key) where state = 'REFUSED';
