-- A transition that was made.
insert into order_history (order_id, from_state, to_state, at, reason)
values (?1, ?2, ?3, ?4, ?5)
