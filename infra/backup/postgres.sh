#!/usr/bin/env bash
# Dump and restore of the shop's databases in a Postgres, as its administrator (PGHOST, PGPORT, PGUSER, PGPASSWORD):
#   postgres.sh dump    TARGET    the shop may run; see below
#   postgres.sh restore BACKUP    the shop is stopped, and provision.sql has made the databases; what they have is kept beside
#
# Each database is dumped at a moment of its own: Postgres has no snapshot across databases. So a dump of a shop that runs
# is good for moving a domain or looking at it, and for a restore only when nobody wrote meanwhile (replicas 0). To come back
# to one moment of all databases, use a base backup and the WAL (docs/operations.md).
#
# A restore fills new databases, `LABEL_restored`. Only when all of them are in do they change places with what is there, in
# one transaction: all or none. So nothing of a newer schema is left among what was dumped, a failure leaves everything as it
# was, and what was there is `LABEL_before_MOMENT` until somebody drops it.
set -euo pipefail
umask 077

labels=(account product stock payment pg order cart settlement)
usage() { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
fail() { echo "error: $1" >&2; exit 1; }

# Statements from standard input, the first that fails ends it; answers what they print.
admin() { psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --dbname="${PGDATABASE:-postgres}"; }

# The labels as rows that a statement can select from, of the column `label`.
rows() { printf "(values %s) as domain (label)" "$(printf ", ('%s')" "${labels[@]}" | cut -c3-)"; }

dump() {
    [ ! -e "$1" ] || fail "$1 is there already"
    rm -rf "$1.part"
    mkdir -p "$1.part"
    for label in "${labels[@]}"; do
        pg_dump --format=custom --serializable-deferrable --dbname="$label" --file="$1.part/$label.dump"
        pg_restore --list "$1.part/$label.dump" >/dev/null
    done
    mv "$1.part" "$1"
}

# Who is connected to a database of the shop, or as one of its roles: nobody may be while databases change places.
refuse_while_connected() {
    local busy
    busy="$(admin <<SQL
select string_agg(distinct format('%s at %s', usename, datname), ', ')
  from pg_stat_activity
 where pid <> pg_backend_pid() and usename is not null
   and (usename like 'bodega\_%' or datname in (select label || ending from $(rows), (values (''), ('_restored')) as name (ending)));
SQL
)"
    [ -z "$busy" ] || fail "sessions of the shop are open ($busy): stop it first"
}

drop_restored() {
    admin <<SQL
set client_min_messages = warning;
select format('drop database if exists %I', label || '_restored') from $(rows)
\gexec
SQL
}

# New databases like those that are there: owner, collation, who may connect, and the settings of the database and of
# roles in it. None of this is in a dump.
create_restored() {
    admin <<SQL
select format('create database %I owner %I template template0 encoding %L lc_collate %L lc_ctype %L connection limit %s',
              label || '_restored', pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, datconnlimit)
  from $(rows) join pg_database on datname = label
\gexec
select format('revoke all on database %I from public', label || '_restored') from $(rows)
\gexec
select format('grant %s on database %I to %s%s', privilege_type, label || '_restored',
              case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end,
              case when is_grantable and grantee <> datdba then ' with grant option' else '' end)
  from $(rows) join pg_database on datname = label
 cross join aclexplode(coalesce(datacl, acldefault('d', datdba)))
\gexec
-- Lists of names are kept as they are written, with quotes of their own.
select format('alter %s set %I = %s',
              case setrole when 0 then format('database %I', label || '_restored')
                           else format('role %I in database %I', pg_get_userbyid(setrole), label || '_restored') end,
              split_part(setting, '=', 1),
              case when split_part(setting, '=', 1) in ('search_path', 'temp_tablespaces', 'local_preload_libraries', 'session_preload_libraries')
                   then substr(setting, strpos(setting, '=') + 1)
                   else quote_literal(substr(setting, strpos(setting, '=') + 1)) end)
  from $(rows) join pg_database on datname = label
  join pg_db_role_setting on setdatabase = pg_database.oid
 cross join unnest(setconfig) as setting
\gexec
SQL
}

change_places() {
    admin <<SQL
begin;
select format('alter database %I rename to %I', label, label || '_before_$1') from $(rows)
\gexec
select format('alter database %I rename to %I', label || '_restored', label) from $(rows)
\gexec
commit;
SQL
}

restore() {
    local label missing moment
    for label in "${labels[@]}"; do
        [ -s "$1/$label.dump" ] || fail "$1/$label.dump is missing"
    done
    missing="$(admin <<<"select string_agg(label, ', ') from $(rows) where label not in (select datname from pg_database);")"
    [ -z "$missing" ] || fail "there is no database $missing: run provision.sql first"
    refuse_while_connected
    # Those of an attempt that was killed are nobody's.
    drop_restored
    trap 'echo "error: nothing was restored; all databases are what they were" >&2; drop_restored || true' EXIT
    create_restored
    for label in "${labels[@]}"; do
        # Owned by the domain's role, as it was.
        pg_restore --exit-on-error --single-transaction --dbname="${label}_restored" "$1/$label.dump"
    done
    refuse_while_connected
    moment="$(date -u +%Y%m%dT%H%M%SZ)"
    change_places "$moment"
    trap - EXIT
    echo "what was there is kept as LABEL_before_$moment; drop it when nobody misses it"
}

[ $# -eq 2 ] || usage
case "$1" in
    dump) dump "$2" ;;
    restore) restore "$2" ;;
    *) usage ;;
esac
echo "done"
