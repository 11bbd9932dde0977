-- All days, to be made again.
delete from daily_settlement
