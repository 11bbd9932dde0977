-- Write a decision down. Nothing changed: the order has a payment, or the id is taken.
insert into payment (payment_id, order_id, user_id, method, currency, amount_minor, state, gateway_key,
                     failure_code, decided_at)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
on conflict do nothing
