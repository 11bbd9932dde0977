-- What metrics count: the orders that were decided, by what became of them.
create index if not exists order_history_decided on order_history (to_state) where from_state = 'PENDING';
