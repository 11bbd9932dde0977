-- Of whom and of what kind the goods of a line are, beside the line: one insert writes both. Lines that are
-- older than `order_line_detail` have neither.
alter table order_line add column category text;

alter table order_line add column seller text;
