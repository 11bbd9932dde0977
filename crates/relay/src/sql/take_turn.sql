-- Holds the one row, so that relays take turns, and takes an acknowledgement in. One that is older than
-- the last, or beyond every position that was given, changes nothing. No row back -> defect.
update outbox_relay
   set acknowledged = case when ?1 > acknowledged and ?1 <= last_position then ?1 else acknowledged end
 where relay_id = 1
returning last_position, acknowledged
