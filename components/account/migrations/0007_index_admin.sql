-- The few who run the shop, among the many who buy.
create index if not exists account_admin on account (user_id) where role = 'ADMIN';
