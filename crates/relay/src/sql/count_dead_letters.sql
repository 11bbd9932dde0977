-- What was put aside, and neither taken in nor dismissed since.
select count(*) as waiting from dead_letter where replayed_at is null and dismissed_at is null
