-- The newest position of the producer ?1 that a consumer has heard of.
select coalesce(max(inbox.position), 0) as newest
  from inbox
 where inbox.producer = ?1
