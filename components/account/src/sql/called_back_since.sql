-- Whose access tokens were called back since then, and when last, in no order: sorted, SQLite would read
-- every account. The end of a single session calls none back.
select user_id, called_back_at
  from account
 where called_back_at >= ?1
