-- How many orders are in each state, from the index alone.
select state as word, count(*) as number from customer_order group by state order by state
