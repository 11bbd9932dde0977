-- What every consumer has is never due again.
delete from outbox_delivery where position <= ?1
