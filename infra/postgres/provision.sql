-- One database for each domain, owned by a role of its own that can connect to no other. For psql, as somebody who may
-- make roles and databases (createrole and createdb; no superuser is needed, and managed services have none to give);
-- harmless to run again, and then it renews the passwords and settings:
--
--   psql -v ON_ERROR_STOP=1 -v account_password=… -v product_password=… -v stock_password=… -v payment_password=… \
--        -v pg_password=… -v order_password=… -v cart_password=… -v settlement_password=… -f provision.sql
--
-- Passwords are sent as statements: run it over TLS or on the machine itself, with `log_statement` none or ddl-free.
-- `statement_timeout` is above what any statement of the shop takes, and below its deadline of a request.

\set ON_ERROR_STOP on

create temporary table domain (label text primary key, password text not null);

insert into domain (label, password) values
  ('account', :'account_password'),
  ('product', :'product_password'),
  ('stock', :'stock_password'),
  ('payment', :'payment_password'),
  ('pg', :'pg_password'),
  ('order', :'order_password'),
  ('cart', :'cart_password'),
  ('settlement', :'settlement_password');

-- Roles, as far as they are missing.
select format('create role %I login', 'bodega_' || label)
  from domain
 where not exists (select 1 from pg_roles where rolname = 'bodega_' || label)
\gexec

-- A role of the shop may do nothing but log in. Whoever is no superuser may not even say so of most attributes, as on
-- every managed service: then what can be taken is taken, and a role that keeps more than that ends the script.
select format('alter role %I with nosuperuser nocreatedb nocreaterole noreplication nobypassrls', 'bodega_' || label)
  from domain
 where (select rolsuper from pg_roles where rolname = current_user)
\gexec

select format('alter role %I with nocreatedb nocreaterole', rolname)
  from domain
  join pg_roles on rolname = 'bodega_' || label
 where (rolcreatedb or rolcreaterole)
   and not (select rolsuper from pg_roles where rolname = current_user)
\gexec

do $$
declare
  strong text;
begin
  select string_agg(rolname, ', ' order by rolname)
    into strong
    from domain
    join pg_roles on rolname = 'bodega_' || label
   where rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls;
  if strong is not null then
    raise exception 'only a superuser can take from these roles what they may do beside logging in: %', strong;
  end if;
end
$$;

select format('alter role %I with login password %L', 'bodega_' || label, password)
  from domain
\gexec

-- What every session of the shop begins with. The store refuses a session without the first two.
select format('alter role %I set %s = %L', 'bodega_' || label, setting.name, setting.value)
  from domain
 cross join (values
         ('default_transaction_isolation', 'serializable'),
         ('synchronous_commit', 'on'),
         ('statement_timeout', '10s'),
         -- Who waits for a transaction that has fallen silent waits until that one is ended.
         ('lock_timeout', '8s'),
         ('idle_in_transaction_session_timeout', '5s'),
         -- A rollback where there is nothing to roll back is how a session begins, and worth no warning.
         ('client_min_messages', 'error')
       ) as setting (name, value)
\gexec

-- The same for the server's log, which only a superuser may say.
select format('alter role %I set log_min_messages = error', 'bodega_' || label)
  from domain
 where (select rolsuper from pg_roles where rolname = current_user)
\gexec

-- Whoever makes a database for a role has to be a member of it, unless a superuser. From Postgres 16 on, who has made a
-- role is a member that may not act for it until this says so; before, it may be said already, and is worth no notice.
set client_min_messages = warning;
select format('grant %I to %I', 'bodega_' || label, current_user)
  from domain
 where not (select rolsuper from pg_roles where rolname = current_user)
\gexec
reset client_min_messages;

-- Databases. The order of texts is that of their code points, as in SQLite.
select format('create database %I owner %I template template0 encoding %L lc_collate %L lc_ctype %L',
              label, 'bodega_' || label, 'UTF8', 'C', 'C')
  from domain
 where not exists (select 1 from pg_database where datname = label)
\gexec

select format('revoke connect, temporary on database %I from public', label) from domain
\gexec

select format('grant connect on database %I to %I', label, 'bodega_' || label) from domain
\gexec

-- Who may not revoke or grant is only warned. So look: each role gets into its own database, and into no other.
do $$
declare
  wrong text;
begin
  select string_agg(format('bodega_%s at %s', role.label, place.label), ', ' order by role.label, place.label)
    into wrong
    from domain as role
   cross join domain as place
   where has_database_privilege('bodega_' || role.label, place.label, 'connect') <> (role.label = place.label);
  if wrong is not null then
    raise exception 'these may connect and should not, or should and may not: %', wrong;
  end if;
end
$$;

drop table domain;
