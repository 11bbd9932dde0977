-- expand: columns that the program before it does not know, and that may be empty
-- Who looked at something that was put aside and put up with it, when and why; it waits for nobody any more. The same
-- text for every consumer (crates/relay).
alter table dead_letter add column dismissed_at bigint;

alter table dead_letter add column dismissed_by bigint;

alter table dead_letter add column dismissed_reason text;
