-- The session lasts as long as its newest refresh token.
update session set expires_at = ?2 where session_id = ?1
