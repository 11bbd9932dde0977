-- How far a producer's events are handled. No row: none has come yet.
select position from inbox_mark where producer = ?1
