-- The first that moved on a day for a name.
insert into daily_share (day, dimension, name, total_minor, payment_count, refund_minor, refund_count)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
