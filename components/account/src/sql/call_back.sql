-- Write down when a user's access tokens were called back. No row changed: later ones were already.
update account
   set called_back_at = ?2
 where user_id = ?1
   and (called_back_at is null or called_back_at < ?2)
