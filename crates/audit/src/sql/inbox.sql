-- What a consumer has of the producer ?1 from beyond the position ?2 up to ?3. What was put aside and dismissed is
-- dealt with as if it had been applied: what money is missing for it, the ledger's own rules find.
select inbox.position, inbox.event_id,
       case when inbox.applied_at is not null then 1
            when exists (select 1 from dead_letter
                          where dead_letter.fingerprint = 'event ' || inbox.producer || ' ' || inbox.event_id
                            and dead_letter.dismissed_at is not null) then 1
            else 0 end as applied
  from inbox
 where inbox.producer = ?1
   and inbox.position > ?2
   and inbox.position <= ?3
 order by inbox.position
