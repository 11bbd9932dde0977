-- The same lines' categories and sellers.
insert into order_line_detail (order_id, place, category, seller)
values {rows}
