-- One event comes in; ?4 is null when it is put aside. No row changed: its id or its place is taken.
insert into inbox (producer, event_id, position, applied_at)
values (?1, ?2, ?3, ?4)
on conflict do nothing
