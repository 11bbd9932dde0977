-- How many events are on their way, and since when the oldest of them has been; null when there is none.
select (select count(*) from outbox where position is null) + (select count(*) from outbox_delivery) as events,
       (select min(happened_at)
          from (
            select min(occurred_at) as happened_at from outbox where position is null
            union all
            select occurred_at from outbox
             where position = (select min(position) from outbox_delivery)
          ) as oldest) as oldest_at
