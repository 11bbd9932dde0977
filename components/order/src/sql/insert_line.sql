-- One line of a PENDING order.
insert into order_line (order_id, place, product_id, sku_id, name, unit_minor, quantity, amount_minor)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
