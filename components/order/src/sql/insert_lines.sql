-- The lines of a PENDING order ?1.
insert into order_line (
  order_id, place, product_id, sku_id, name, category, seller, unit_minor, quantity, amount_minor)
values {rows}
