-- Remember money that the gateway keeps, since the first time it was asked for.
insert into stray_money (order_id, payment_key, currency, amount_minor, code, since_at)
values (?1, ?2, ?3, ?4, ?5, ?6)
on conflict (order_id) do update
   set payment_key = excluded.payment_key, currency = excluded.currency,
       amount_minor = excluded.amount_minor, code = excluded.code
