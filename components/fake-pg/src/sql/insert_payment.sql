-- Write a decision down. Nothing changed: the order has one already, which stands.
insert into pg_payment (order_id, currency, asked_minor, state, refusal_code)
values (?1, ?2, ?3, ?4, ?5)
on conflict (order_id) do nothing
