-- Moves the mark over every position that follows without a gap. No row changed: there is no mark yet.
with recursive run (position) as (
  select position from inbox_mark where producer = ?1
  union all
  select inbox.position
    from run
    join inbox on inbox.producer = ?1 and inbox.position = run.position + 1
)
update inbox_mark
   set position = (select max(position) from run)
 where producer = ?1
