-- All shares, to be made again.
delete from daily_share
