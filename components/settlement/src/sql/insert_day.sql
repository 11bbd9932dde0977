-- The first that moved on a day.
insert into daily_settlement (day, total_minor, payment_count, refund_minor, refund_count)
values (?1, ?2, ?3, ?4, ?5)
