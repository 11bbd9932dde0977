-- Whose access tokens may have been called back since then. More users than needed do no harm: theirs are
-- exchanged for new ones.
select user_id from session where revoked_at >= ?1
union
select user_id from account_audit where changed_at >= ?1
order by user_id
