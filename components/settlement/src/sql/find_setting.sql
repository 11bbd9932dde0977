-- A setting. No row: never made.
select value from setting where name = ?1
