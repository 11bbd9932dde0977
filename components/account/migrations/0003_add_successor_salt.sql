-- What a used refresh token's successor is made of, together with the token itself: so the successor can be given
-- out again while it is fresh, without being stored. Null: not used yet, or used before this column was there.
alter table refresh_token add column successor_salt text;
