-- Begin a session that lasts as long as its newest refresh token.
insert into session (session_id, user_id, expires_at) values (?1, ?2, ?3)
