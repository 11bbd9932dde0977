-- Write a PENDING order down. No row changed: the id is taken -> take another one.
insert into customer_order (
  order_id, user_id, state, method, currency, total_minor, discount_minor, due_minor,
  lease_until, created_at, changed_at)
values (?1, ?2, 'PENDING', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)
on conflict (order_id) do nothing
