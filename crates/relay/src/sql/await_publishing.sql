-- The events that just got their positions, those beyond ?1, are due at once.
insert into outbox_delivery (position)
select position from outbox where position > ?1
