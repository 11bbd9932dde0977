-- What is to be done for a PENDING order, with its first lease.
insert into order_work (order_id, kind, attempt, lease_owner, lease_until, expires_at, from_cart)
values (?1, 'PLACE', 1, ?2, ?3, ?4, ?5)
