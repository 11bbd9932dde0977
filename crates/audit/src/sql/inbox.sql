-- What a consumer has of the producer ?1 from beyond the position ?2 up to ?3.
select inbox.position, inbox.event_id, case when inbox.applied_at is null then 0 else 1 end as applied
  from inbox
 where inbox.producer = ?1
   and inbox.position > ?2
   and inbox.position <= ?3
 order by inbox.position
