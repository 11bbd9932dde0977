#!/usr/bin/env bash
# Prints the Secrets that the chart names, with keys and passwords made up here:
#   deploy/secrets.sh [--namespace NAME] [--redis-url URL] [--nats-url URL] [--admin-password-file FILE] | kubectl apply -f -
# Run it once, and keep what it printed where secrets are kept: a second run makes other keys, and with other keys everybody
# is logged out. Names are those of values.yaml; --nats-url makes one more, for `secrets.nats`.
set -euo pipefail
umask 077

namespace=shop
redis_url=redis://bodega-redis:6379
nats_url=
admin_password=
while [ $# -gt 0 ]; do
    case "$1" in
        --namespace | --redis-url | --nats-url | --admin-password-file)
            [ $# -ge 2 ] || { echo "$1 needs a value" >&2; exit 2; }
            ;;&
        --namespace) namespace="$2" ;;
        --redis-url) redis_url="$2" ;;
        --nats-url) nats_url="$2" ;;
        --admin-password-file) admin_password="$(<"$2")" ;;
        *) echo "usage: deploy/secrets.sh [--namespace NAME] [--redis-url URL] [--nats-url URL] [--admin-password-file FILE]" >&2; exit 2 ;;
    esac
    shift 2
done
case "$redis_url" in
    redis://*:*) ;;
    rediss://*) echo "--redis-url: the shop speaks no TLS to a Redis, so rediss:// would be refused at its start: use redis:// inside a network that you trust" >&2; exit 2 ;;
    *) echo "--redis-url has the form redis://[:PASSWORD@]HOST:PORT; Spin wants the port" >&2; exit 2 ;;
esac
case "$nats_url" in
    '' | nats://?*:?*@?*:?*) ;;
    tls://*) echo "--nats-url: the shop speaks no TLS to a NATS: use nats:// inside a network that you trust" >&2; exit 2 ;;
    *) echo "--nats-url has the form nats://USER:PASSWORD@HOST:PORT[?stream=NAME]" >&2; exit 2 ;;
esac
case "$redis_url$nats_url$admin_password$namespace" in
    *[\"\\]* | *$'\n'*) echo 'an address or password with ", \ or a line break is not supported' >&2; exit 2 ;;
esac

key() { head -c 32 /dev/urandom | base64 | tr -d '\n'; }
# Letters and digits alone, since it stands in an address.
password() { od -An -N20 -tx1 /dev/urandom | tr -d ' \n'; }

secret() {
    printf -- '---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  namespace: %s\ntype: Opaque\nstringData:\n' "$1" "$namespace"
}
entry() { printf '  %s: "%s"\n' "$1" "$2"; }

secret bodega-keys
entry jwt_keys "$(date -u +k%Y%m%d):$(key)"
entry identity_key "$(key)"
entry jobs_key "$(password)"
entry remote_key "$(password)"

secret bodega-databases
for label in account product stock payment pg order cart settlement; do
    entry "${label}_password" "$(password)"
done
entry admin_password "${admin_password:-$(password)}"

secret bodega-redis
entry url "$redis_url"

secret bodega-runtime-config
cat <<TOML
  runtime-config.toml: |
    # Marks of called-back tokens, breakers, acknowledged positions: shared by all replicas.
    [key_value_store.default]
    type = "redis"
    url = "$redis_url"

    # Of one replica, to all databases together. Without it each of the eight may have 16, and a rollout twice that; a server's
    # max_connections has to bear this times the replicas, times two.
    [outbound_pg]
    max_connections = 32
TOML

[ -z "$nats_url" ] || { secret bodega-nats; entry url "$nats_url"; }
