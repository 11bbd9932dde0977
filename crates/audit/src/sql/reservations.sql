-- Where the goods of orders are.
select goods.order_id, goods.state, case when back.order_id is null then 0 else 1 end as taken_back
  from reservation goods
  left join taken_back back on back.order_id = goods.order_id
 where {goods.order_id}
