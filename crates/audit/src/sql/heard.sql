-- The newest position of the producer ?1 that a consumer has applied. What it has put aside proves nothing: anybody
-- may have sent it.
select coalesce(max(inbox.position), 0) as newest
  from inbox
 where inbox.producer = ?1
   and inbox.applied_at is not null
