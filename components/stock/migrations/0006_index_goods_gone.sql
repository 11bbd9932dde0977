-- Which orders' goods left the house, or came back: what the audit asks order by order. Reservations and releases,
-- which are most of the history, are not in it, and commits are written for many orders at once.
create index if not exists stock_history_gone on stock_history (order_id) where kind in ('COMMIT', 'RETURN');
