-- Every change of a SKU's counts, with the counts after it; numbered per SKU without a gap.
-- An expiry is nobody's change and writes no row: `reserved` simply counts what is live at `at`.
-- Giving back (RELEASE, RETURN) is never stopped by stock_history_not_oversold, which catches what a
-- caller with a slow clock would sell twice.
create table if not exists stock_history (
    sku_id bigint not null,
    number bigint not null,
    kind text not null,
    order_id bigint,
    quantity bigint not null,
    on_hand bigint not null,
    reserved bigint not null,
    at bigint not null,
    constraint stock_history_key primary key (sku_id, number),
    constraint stock_history_sku foreign key (sku_id) references stock_level (sku_id),
    constraint stock_history_kind
        check (kind in ('INITIAL', 'RESERVE', 'COMMIT', 'RELEASE', 'RETURN', 'MANUAL')),
    constraint stock_history_order check ((order_id is null) = (kind in ('INITIAL', 'MANUAL'))),
    constraint stock_history_quantity check (quantity > 0 or (kind in ('INITIAL', 'MANUAL'))),
    constraint stock_history_not_negative check (on_hand >= 0 and reserved >= 0),
    constraint stock_history_not_oversold check (reserved <= on_hand or kind in ('RELEASE', 'RETURN'))
);
