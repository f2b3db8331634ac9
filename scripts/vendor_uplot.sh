#!/usr/bin/env bash
# Fetches the chart library of the page /monitor from npm, checks it, and puts it where the server's
# pages load it from. Run it after changing the version; then change NOTICE too.
set -euo pipefail

version=1.6.32
integrity='sha512-KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw=='

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
target="$root/stream_server/web/static/vendor/uplot"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
npm pack --silent "uplot@$version" > /dev/null
got="sha512-$(openssl dgst -sha512 -binary "uplot-$version.tgz" | openssl base64 -A)"
[ "$got" = "$integrity" ] || { echo "uplot $version is $got, not $integrity" >&2; exit 1; }
tar xzf "uplot-$version.tgz"
mkdir -p "$target"
cp package/LICENSE package/dist/uPlot.min.css package/dist/uPlot.esm.js "$target/"
cp package/dist/uPlot.d.ts "$target/uPlot.esm.d.ts"  # where the type check looks for it
cd "$target"
sha256sum LICENSE uPlot.esm.d.ts uPlot.esm.js uPlot.min.css > SHA256SUMS
