-- Whether a refresh token was used. No row: it is not there.
select used_at from refresh_token where fingerprint = ?1
