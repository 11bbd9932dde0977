-- What became of the orders that were decided; a later change of one takes nothing away.
select to_state as word, count(*) as number from order_history where from_state = 'PENDING'
 group by to_state order by to_state
