#!/usr/bin/env bash
# Makes up the passwords of infra/compose.yaml once, and two files with them that nobody commits:
#   .bodega/infra.env   for `docker compose --env-file`
#   .bodega/infra.toml  for `cargo xtask up --variable @.bodega/infra.toml`: Postgres, and Redis for events and limits
set -euo pipefail
cd "$(dirname "$0")/.."
umask 077
mkdir -p .bodega

labels=(account product stock payment pg order cart settlement)
env_file=.bodega/infra.env
toml_file=.bodega/infra.toml

# Hexadecimal, so that it stands in an address as it is.
password() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

if [ ! -e "$env_file" ]; then
    {
        for name in POSTGRES GRAFANA "${labels[@]^^}"; do
            echo "${name}_PASSWORD=$(password)"
        done
    } >"$env_file.part"
    mv "$env_file.part" "$env_file"
fi

{
    echo '# Made by infra/env.sh.'
    for label in "${labels[@]}"; do
        value="$(sed -n "s/^${label^^}_PASSWORD=//p" "$env_file")"
        echo "${label}_database = \"postgres://bodega_$label:$value@127.0.0.1:5432/$label\""
    done
    echo 'postgres_host = "postgres://127.0.0.1:5432"'
    echo 'events_address = "redis://127.0.0.1:6379"'
    echo 'limits_address = "redis://127.0.0.1:6379"'
} >"$toml_file.part"
mv "$toml_file.part" "$toml_file"
echo "$env_file and $toml_file are there"
