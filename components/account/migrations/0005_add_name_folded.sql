-- The name in small letters, to be searched in. SQLite knows only ASCII's here; the next change of a profile brings
-- the others.
alter table account add column name_folded text not null default '';

update account set name_folded = lower(name) where name_folded = '';
