-- What metrics count: the payments by how they were decided.
create index if not exists payment_by_state on payment (state);
