#!/usr/bin/env bash
# Dump and restore of the shop's databases in a Postgres, as its administrator (PGHOST, PGPORT, PGUSER, PGPASSWORD):
#   postgres.sh dump    TARGET    the shop may run; see below
#   postgres.sh restore BACKUP    the shop is stopped, and provision.sql has made the databases; what they have is replaced
#
# Each database is dumped at a moment of its own: Postgres has no snapshot across databases. So a dump of a shop that runs
# is good for moving a domain or looking at it, and for a restore only when nobody wrote meanwhile (replicas 0). To come back
# to one moment of all databases, use a base backup and the WAL (docs/operations.md).
set -euo pipefail
umask 077

labels=(account product stock payment pg order cart settlement)
usage() { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }

dump() {
    [ ! -e "$1" ] || { echo "error: $1 is there already" >&2; exit 1; }
    rm -rf "$1.part"
    mkdir -p "$1.part"
    for label in "${labels[@]}"; do
        pg_dump --format=custom --serializable-deferrable --dbname="$label" --file="$1.part/$label.dump"
        pg_restore --list "$1.part/$label.dump" >/dev/null
    done
    mv "$1.part" "$1"
}

restore() {
    for label in "${labels[@]}"; do
        [ -s "$1/$label.dump" ] || { echo "error: $1/$label.dump is missing" >&2; exit 1; }
    done
    local busy
    busy="$(psql --no-psqlrc --tuples-only --no-align --dbname=postgres --command \
        "select count(*) from pg_stat_activity where usename like 'bodega\\_%'")"
    [ "$busy" = 0 ] || { echo "error: $busy sessions of the shop are open: stop it first" >&2; exit 1; }
    for label in "${labels[@]}"; do
        # All of it or nothing; owned by the domain's role, as it was.
        pg_restore --clean --if-exists --exit-on-error --single-transaction --dbname="$label" "$1/$label.dump"
    done
}

[ $# -eq 2 ] || usage
case "$1" in
    dump) dump "$2" ;;
    restore) restore "$2" ;;
    *) usage ;;
esac
echo "done"
