-- A client's Idempotency-Key: what was asked with it, for which order, and the answer, which is sent again
-- byte for byte. The key is written with the effect of the command and the answer with the decision, so
-- `status` is null as long as the command is being carried out. `headers` has one `name: value` a line.
--
-- It takes the place of `idempotency`, which kept no answers and is read by nobody any more.
create table if not exists command_key (
  user_id integer not null,
  idempotency_key text not null,
  command text not null,
  order_id integer not null references customer_order (order_id),
  status integer,
  headers text,
  body text,
  primary key (user_id, idempotency_key),
  constraint command_key_answer_is_whole check (
    (status is null) = (headers is null) and (status is null) = (body is null))
);

create index if not exists command_key_by_order on command_key (order_id);

insert into command_key (user_id, idempotency_key, command, order_id)
select user_id, idempotency_key, command, order_id from idempotency where true
on conflict (user_id, idempotency_key) do nothing;
