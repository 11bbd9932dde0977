-- Why an order became CANCELLED, with its becoming so.
insert into order_cancellation (order_id, reason, note)
values (?1, ?2, ?3)
