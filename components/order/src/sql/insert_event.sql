-- An event, in the transaction of its change. Its id is made of topic and key, so a repetition is refused.
insert into outbox (event_id, topic, key, occurred_at, data, traceparent)
values (?1, ?2, ?3, ?4, ?5, ?6)
