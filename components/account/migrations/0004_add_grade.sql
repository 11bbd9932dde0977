-- How much the shop thinks of a member.
alter table account
  add column grade text not null default 'NORMAL'
  constraint account_grade_known check (grade in ('NORMAL', 'SILVER', 'GOLD', 'VIP'));
