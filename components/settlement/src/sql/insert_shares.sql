-- The sums of days and names that have none.
insert into daily_share (day, dimension, name, total_minor, payment_count, refund_minor, refund_count)
values {rows}
