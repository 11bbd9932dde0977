-- Who can log in. `email_key` is the e-mail in small letters: one account for each.
create table account (
  user_id bigint not null,
  email text not null,
  email_key text not null,
  name text not null,
  phone text,
  password_hash text not null,
  role text not null,
  status text not null,
  created_at bigint not null,
  updated_at bigint not null,
  constraint account_pk primary key (user_id),
  constraint account_email_unique unique (email_key),
  constraint account_role_known check (role in ('USER', 'ADMIN')),
  constraint account_status_known check (status in ('ACTIVE', 'INACTIVE', 'SUSPENDED'))
);
