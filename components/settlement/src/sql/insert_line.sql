-- A line of an order. Its number exists already -> conflict: a defect.
insert into order_line (order_id, line_number, category, seller, amount_minor)
values (?1, ?2, ?3, ?4, ?5)
