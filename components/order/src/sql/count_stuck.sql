-- Orders that wait for a person.
select count(*) as number from order_work where stuck is not null
