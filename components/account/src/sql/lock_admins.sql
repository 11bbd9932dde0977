-- Who runs the shop now, and until the transaction ends: it changes nothing, but where writers don't queue it makes
-- those who take or give this role come one after the other.
update account
   set role = role
 where role = 'ADMIN'
   and status = 'ACTIVE'
returning user_id
