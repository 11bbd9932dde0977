#!/usr/bin/env bash
# Builds, pushes and signs what is deployed:
#   deploy/push.sh host  IMAGE                 the image of our own host, such as registry.example/bodega:0.1.0
#   deploy/push.sh spin  REPOSITORY VERSION    the applications for SpinKube, REPOSITORY/bodega:VERSION and its kin
#   deploy/push.sh chart REPOSITORY VERSION    the chart, to oci://REPOSITORY/bodega:VERSION, for the images of that version
# Who pushes is logged in already (`docker login`, `spin registry login`, `helm registry login`). What was pushed is signed
# by digest with cosign: without a key by the identity of the workflow, or by COSIGN_KEY. SIGN=no leaves that out.
# DRY_RUN=1 prints the commands instead of running them.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
run() {
    if [ -n "${DRY_RUN:-}" ]; then printf '%q ' "$@"; echo; else "$@"; fi
}
needs() { [ -n "${DRY_RUN:-}" ] || command -v "$1" >/dev/null || { echo "$1 is not installed" >&2; exit 1; }; }

# The digest that a registry gave to what was just pushed.
digest() {
    if [ -n "${DRY_RUN:-}" ]; then echo "sha256:DIGEST"; else crane digest "$1"; fi
}
sign() {
    [ "${SIGN:-yes}" = yes ] || return 0
    local digest reference
    digest="$(digest "$1")"
    reference="${1%:*}@$digest"
    if [ -n "${COSIGN_KEY:-}" ]; then
        run cosign sign --yes --key "$COSIGN_KEY" "$reference"
    else
        run cosign sign --yes "$reference"
    fi
    echo "$reference"
}

# A manifest for SpinKube, made of ours, then pushed. Spin 4 composes the dependencies as it pushes.
push_app() {
    local name="$1" part="$2" from="$3" reference="$4"
    run cargo xtask spin-profile --part "$part" --from "$from" --out "target/spin/$name.toml"
    run spin registry push --from "target/spin/$name.toml" "$reference"
    sign "$reference"
}

host() {
    [ $# -eq 1 ] || usage
    needs docker; needs cosign; needs crane
    # With an inventory of what is inside, and where it was built: attached to the image, for `docker buildx imagetools inspect`.
    run docker buildx build --file deploy/container/Containerfile --platform "${PLATFORMS:-linux/amd64,linux/arm64}" \
        --sbom=true --provenance=mode=max --tag "$1" --push .
    sign "$1"
}

spin_apps() {
    [ $# -eq 2 ] || usage
    local repository="$1" version="$2"
    needs spin; needs cosign; needs crane
    run cargo xtask build
    push_app bodega http spin.toml "$repository/bodega:$version"
    push_app bodega-consumer consumer spin.toml "$repository/bodega-consumer:$version"
    # The applications of the split wiring, under tags of their own where the other wiring has the same names.
    if [ -d deploy/remote ]; then
        push_app bodega-split http deploy/remote/order.toml "$repository/bodega:$version-split"
        push_app bodega-consumer-split consumer deploy/remote/order.toml "$repository/bodega-consumer:$version-split"
        push_app bodega-stock http deploy/remote/stock.toml "$repository/bodega-stock:$version"
        push_app bodega-payment http deploy/remote/payment.toml "$repository/bodega-payment:$version"
    fi
}

chart() {
    [ $# -eq 2 ] || usage
    local repository="$1" version="$2"
    needs helm; needs cosign; needs crane
    # The version of the chart is that of the images which it names when nobody says another.
    run helm package deploy/helm/bodega --version "$version" --app-version "$version" --destination target/chart
    run helm push "target/chart/bodega-$version.tgz" "oci://$repository"
    sign "$repository/bodega:$version"
}

[ $# -ge 1 ] || usage
verb="$1"
shift
case "$verb" in
    host) host "$@" ;;
    spin) spin_apps "$@" ;;
    chart) chart "$@" ;;
    *) usage ;;
esac
