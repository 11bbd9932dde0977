-- Remember a refresh token.
insert into refresh_token (fingerprint, session_id, expires_at) values (?1, ?2, ?3)
