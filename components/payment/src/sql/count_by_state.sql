-- How many payments were decided each way, from the index alone.
select state as word, count(*) as number from payment group by state order by state
