-- What is left to do for an order, and who may do it until when. There is a row as long as something is:
--   PLACE    its checkout is under way
--   AWAIT    its goods are held, it waits for its payment until `expires_at`
--   CONFIRM  its payment is being confirmed
--   FINISH   it is PAID; goods may have to be let go and the cart to be emptied
--   CANCEL   money and goods are on their way back, because of `reason`
--   EXPIRE   it was not paid in time; goods are on their way back
-- `stuck` is the step that a person has to look at; `attempt` counts how often one has.
create table if not exists order_work (
  order_id integer primary key references customer_order (order_id),
  kind text not null,
  attempt integer not null,
  lease_owner integer not null,
  lease_until integer not null,
  expires_at integer,
  payment_key text,
  from_cart integer not null,
  reason text,
  note text,
  stuck text,
  stuck_reason text,
  constraint work_kind_known check (kind in ('PLACE', 'AWAIT', 'CONFIRM', 'FINISH', 'CANCEL', 'EXPIRE')),
  constraint work_attempt_counts check (attempt >= 1),
  constraint work_awaits_until check (kind <> 'AWAIT' or expires_at is not null),
  constraint work_confirms_payment check (kind <> 'CONFIRM' or payment_key is not null),
  constraint work_cancels_for_reason check ((kind = 'CANCEL') = (reason is not null)),
  constraint work_stuck_has_reason check ((stuck is null) = (stuck_reason is null))
);

-- What recovery looks for: work that nobody drives. Orders to FINISH are many and taken together.
create index if not exists order_work_lapsed on order_work (lease_until)
 where stuck is null and kind <> 'AWAIT' and kind <> 'FINISH';

create index if not exists order_work_finish on order_work (lease_until)
 where stuck is null and kind = 'FINISH';

-- Orders whose time to pay runs out.
create index if not exists order_work_awaiting on order_work (expires_at) where kind = 'AWAIT';

-- Orders that wait for a person.
create index if not exists order_work_stuck on order_work (order_id) where stuck is not null;

-- What was left behind before there was work: checkouts that were never decided, and paid orders whose
-- goods nobody has looked at again.
insert into order_work (order_id, kind, attempt, lease_owner, lease_until, from_cart)
select order_id, case state when 'PENDING' then 'PLACE' else 'FINISH' end, 1, 0, lease_until, 0
  from customer_order
 where state in ('PENDING', 'PAID')
on conflict (order_id) do nothing;

-- The lease stands with the work from now on, so nobody looks for it here.
drop index if exists customer_order_pending;
