-- The order's one reservation. No row changed: it has one already, so ask that one.
insert into reservation (order_id, state, until, ended_at, created_at)
values (?1, ?2, ?3, ?4, ?5)
on conflict (order_id) do nothing
