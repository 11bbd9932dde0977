-- A producer that was never heard of begins at 0.
insert into inbox_mark (producer, position) values (?1, 0)
on conflict (producer) do nothing
