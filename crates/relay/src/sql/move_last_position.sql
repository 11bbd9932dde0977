-- The last position that was given.
update outbox_relay set last_position = ?1 where relay_id = 1
