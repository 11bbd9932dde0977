-- A row back: an event of this id came before, whether it was applied or put aside.
select 1 as known from inbox where producer = ?1 and event_id = ?2
