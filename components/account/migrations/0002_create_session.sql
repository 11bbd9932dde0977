-- A login that goes on: the family of all refresh tokens that descend from it.
create table session (
  session_id text not null,
  user_id bigint not null,
  expires_at bigint not null,
  revoked_at bigint,
  constraint session_pk primary key (session_id),
  constraint session_account_known foreign key (user_id) references account (user_id)
);

create index "session_user" on session (user_id);

-- Its refresh tokens, by fingerprint. One of them at most is not used yet.
create table refresh_token (
  fingerprint text not null,
  session_id text not null,
  expires_at bigint not null,
  used_at bigint,
  constraint refresh_token_pk primary key (fingerprint),
  constraint refresh_token_session_known foreign key (session_id) references session (session_id) on delete cascade
);

create index refresh_token_session on refresh_token (session_id);
