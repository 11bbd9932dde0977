-- What admins changed about an account, counted from 1 for each. No actor: whoever holds the internal key.
create table account_audit (
  user_id bigint not null,
  number bigint not null,
  actor_id bigint,
  field text not null,
  value_before text,
  value_after text not null,
  changed_at bigint not null,
  constraint account_audit_pk primary key (user_id, number),
  constraint account_audit_account_known foreign key (user_id) references account (user_id),
  constraint account_audit_field_known check (field in ('STATUS', 'GRADE', 'ROLE'))
);
