-- What administrators look for: the orders of one state, newest first.
create index if not exists customer_order_by_state on customer_order (state, order_id);
