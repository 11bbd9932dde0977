-- Whether a drain would change anything: 1 or 0. One read, so that a quiet second writes nothing.
-- No row: the table was never set up -> defect.
select case when (?1 > acknowledged and ?1 <= last_position)
              or exists (select 1 from outbox where position is null)
              or exists (select 1 from outbox_delivery where due_at <= ?2)
            then 1 else 0 end as work
  from outbox_relay
 where relay_id = 1
