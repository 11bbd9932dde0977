-- How many days have sums.
select count(*) as days
  from daily_settlement
