-- Write down when to look next whether the gateway holds money of an order.
insert into gateway_look (order_id, look, due_at)
values (?1, ?2, ?3)
on conflict (order_id) do update set look = excluded.look, due_at = excluded.due_at
