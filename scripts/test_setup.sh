#!/usr/bin/env bash
# Everything that `make test` needs beside the Python environment: a browser, Node.js for the
# extension's type check, and the real Triton. Safe to run again.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
command -v chromium > /dev/null || scripts/system_packages.sh chromium fonts-dejavu-core
if ! command -v npm > /dev/null; then
    scripts/system_packages.sh nodejs npm
fi
if [ ! -x node_modules/.bin/tsc ] || [ package.json -nt node_modules/.stamp ]; then
    npm install --no-package-lock --no-audit --no-fund --silent
    touch node_modules/.stamp
fi
scripts/triton_env.sh > /dev/null
