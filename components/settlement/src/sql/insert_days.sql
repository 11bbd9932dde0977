-- The sums of days that have none.
insert into daily_settlement (day, total_minor, payment_count, refund_minor, refund_count)
values {rows}
