-- The journal: a line for every movement of money that was told of, and for every correction.
-- `movement_id` is the event that tells of the movement; a correction has the id of what it corrects there.
create table if not exists ledger_entry (
  entry_id text not null primary key,
  kind text not null,
  movement_id text not null,
  order_id bigint not null,
  currency text not null,
  occurred_at bigint not null,
  day text not null,
  constraint ledger_entry_kind_known check (kind in ('SALES', 'REFUND', 'ADJUSTMENT')),
  constraint ledger_entry_first_names_itself check ((kind = 'ADJUSTMENT') = (entry_id <> movement_id)),
  constraint ledger_entry_one_currency check (currency = 'KRW')
);

create index if not exists ledger_entry_by_order on ledger_entry (order_id, movement_id);

-- Both sides of an entry. What comes in is a debit, what goes out a credit; each posting is one of them.
create table if not exists ledger_posting (
  entry_id text not null references ledger_entry (entry_id),
  account text not null,
  debit_minor bigint not null,
  credit_minor bigint not null,
  primary key (entry_id, account),
  constraint ledger_posting_account_known check (account in ('CLEARING', 'SALES', 'REFUND', 'FEE')),
  constraint ledger_posting_not_negative check (debit_minor >= 0 and credit_minor >= 0),
  constraint ledger_posting_one_side check ((debit_minor = 0) <> (credit_minor = 0))
);
