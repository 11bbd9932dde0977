-- What was put aside and not taken in since.
select count(*) as waiting from dead_letter where replayed_at is null
