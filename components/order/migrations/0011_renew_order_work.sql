-- Work gets one more kind, and knows whose it is and which client's key waits for its answer:
--   UNDO     its checkout has failed because of `failure`; money and goods are on their way back
-- Kinds are a check, which SQLite does not change in place, so the table is made anew.
create table if not exists order_work_before as
select order_id, kind, attempt, lease_owner, lease_until, expires_at, payment_key, from_cart, reason, note, stuck,
       stuck_reason
  from order_work;

drop table order_work;

create table order_work (
  order_id integer primary key references customer_order (order_id),
  user_id integer not null,
  kind text not null,
  attempt integer not null,
  lease_owner integer not null,
  lease_until integer not null,
  expires_at integer,
  payment_key text,
  from_cart integer not null,
  reason text,
  note text,
  failure text,
  failure_detail text,
  key_user_id integer,
  idempotency_key text,
  stuck text,
  stuck_reason text,
  constraint work_kind_known check (
    kind in ('PLACE', 'AWAIT', 'CONFIRM', 'UNDO', 'FINISH', 'CANCEL', 'EXPIRE')),
  constraint work_attempt_counts check (attempt >= 1),
  constraint work_awaits_until check (kind <> 'AWAIT' or expires_at is not null),
  constraint work_confirms_payment check (kind <> 'CONFIRM' or payment_key is not null),
  constraint work_cancels_for_reason check ((kind = 'CANCEL') = (reason is not null)),
  constraint work_undoes_for_failure check ((kind = 'UNDO') = (failure is not null)),
  constraint work_key_is_whole check ((key_user_id is null) = (idempotency_key is null)),
  constraint work_stuck_has_reason check ((stuck is null) = (stuck_reason is null))
);

-- Nobody knows which of the old checkouts had begun to be undone, so none of them may be paid any more.
insert into order_work (
  order_id, user_id, kind, attempt, lease_owner, lease_until, expires_at, payment_key, from_cart, reason, note,
  failure, stuck, stuck_reason)
select w.order_id, o.user_id, case when w.kind in ('PLACE', 'CONFIRM') then 'UNDO' else w.kind end, w.attempt,
       w.lease_owner, w.lease_until, w.expires_at, w.payment_key, w.from_cart, w.reason, w.note,
       case when w.kind in ('PLACE', 'CONFIRM') then 'ABANDONED' end, w.stuck, w.stuck_reason
  from order_work_before w
  join customer_order o on o.order_id = w.order_id;

drop table order_work_before;

-- The key that waits for an answer is the order's last one: a cancellation's, or that of its checkout.
update order_work
   set key_user_id = (
         select k.user_id
           from command_key k
          where k.order_id = order_work.order_id
            and k.status is null
            and (order_work.kind = 'UNDO' or k.command like 'cancel %')
          order by k.user_id, k.idempotency_key
          limit 1),
       idempotency_key = (
         select k.idempotency_key
           from command_key k
          where k.order_id = order_work.order_id
            and k.status is null
            and (order_work.kind = 'UNDO' or k.command like 'cancel %')
          order by k.user_id, k.idempotency_key
          limit 1)
 where kind in ('UNDO', 'CANCEL');

-- What recovery looks for: work that nobody drives. Orders to FINISH are many and taken together.
create index if not exists order_work_lapsed on order_work (lease_until)
 where stuck is null and kind <> 'AWAIT' and kind <> 'FINISH';

create index if not exists order_work_finish on order_work (lease_until)
 where stuck is null and kind = 'FINISH';

-- Orders whose time to pay runs out.
create index if not exists order_work_awaiting on order_work (expires_at) where kind = 'AWAIT';

-- Orders that wait for a person.
create index if not exists order_work_stuck on order_work (order_id) where stuck is not null;

-- Orders whose goods are held for a payment that a customer may make later.
create index if not exists order_work_waiting on order_work (user_id)
 where expires_at is not null and kind in ('PLACE', 'AWAIT');

-- A cart is bought by one order at a time.
create unique index if not exists order_work_one_cart on order_work (user_id)
 where from_cart = 1 and kind = 'PLACE';
