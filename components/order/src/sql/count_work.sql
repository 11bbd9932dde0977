-- What is left to do, by its kind.
select kind as word, count(*) as number from order_work group by kind order by kind
