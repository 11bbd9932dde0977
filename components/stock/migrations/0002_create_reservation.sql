-- One reservation per order, for ever: an order that was released never reserves again.
-- `until` is null for an order that was released before it had reserved anything.
create table if not exists reservation (
    order_id bigint not null,
    state text not null,
    until bigint,
    ended_at bigint,
    created_at bigint not null,
    constraint reservation_key primary key (order_id),
    constraint reservation_state check (state in ('RESERVED', 'COMMITTED', 'RELEASED')),
    constraint reservation_until check (until is not null or state = 'RELEASED'),
    constraint reservation_ended_at check ((ended_at is null) = (state = 'RESERVED'))
);

-- What it is for. `held_until` is when the pieces are free again, and null once they are sold or given
-- back, so a SKU's live holds are the rows with held_until > now.
create table if not exists reservation_line (
    order_id bigint not null,
    sku_id bigint not null,
    quantity bigint not null,
    held_until bigint,
    constraint reservation_line_key primary key (order_id, sku_id),
    constraint reservation_line_order foreign key (order_id) references reservation (order_id),
    constraint reservation_line_sku foreign key (sku_id) references stock_level (sku_id),
    constraint reservation_line_quantity check (quantity between 1 and 1000000)
);

-- Answers "how many pieces are held" alone, and holds live and expired ones only, so it stays small.
create index if not exists reservation_line_held
    on reservation_line (sku_id, held_until, quantity, order_id)
 where held_until is not null;
