-- What a client's Idempotency-Key merged into its cart, and the answer as it was sent. A key stands here or in
-- cart_key, never in both.
create table if not exists cart_merge (
    user_id bigint not null,
    idempotency_key text not null,
    command text not null,
    answer text not null,
    at bigint not null,
    constraint cart_merge_key primary key (user_id, idempotency_key),
    constraint cart_merge_text check (length(idempotency_key) between 1 and 255)
);
