#!/usr/bin/env bash
# Runs provision.sql once, with the passwords of the environment. The container calls this when its data folder is
# empty, the chart's Job whenever the chart is installed or upgraded; repeating it changes nothing but passwords.
set -euo pipefail

labels=(account product stock payment pg order cart settlement)
: "${PGUSER:=${POSTGRES_USER:-postgres}}"
export PGUSER

# psql reads the settings from standard input, since what stands on a command line is seen by every process.
{
    for label in "${labels[@]}"; do
        name="${label^^}_PASSWORD"
        value="${!name:?a password for the role $label is needed}"
        case "$value" in
            *[!A-Za-z0-9._~-]*)
                echo "$name may have letters, digits and . _ ~ - only, since it stands in an address too" >&2
                exit 1
                ;;
        esac
        printf "\\\\set %s_password '%s'\n" "$label" "$value"
    done
    printf '\\i %s\n' "${PROVISION_SQL:-/provision/provision.sql}"
} | psql --no-psqlrc --set=ON_ERROR_STOP=1 --quiet --dbname="${PGDATABASE:-postgres}"
echo "the databases of the shop are there"
