#!/usr/bin/env bash
# Makes a virtual environment and installs Fakelight into it. Safe to run again: an environment
# that is already up to date is left alone.
#   bootstrap.sh FOLDER [EXTRA]      EXTRA is an extra of pyproject.toml, such as dev
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="$1"
extra="${2:-}"
stamp="$venv/.installed"
# The checkout's place is part of the key: an editable install points at it.
key="$root $extra $(cksum < "$root/pyproject.toml")"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$key" ]; then
    exit 0
fi

find_python() {
    local name
    for name in ${PYTHON:-} python3.11 python3.12 python3.13 python3; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
            echo "$name"
            return
        fi
    done
    echo "Fakelight needs Python 3.11 or newer; PYTHON=... names one" >&2
    exit 1
}

python="$(find_python)"
if [ ! -x "$venv/bin/python" ] && ! "$python" -m venv "$venv" 2> /dev/null; then
    # Debian keeps venv in a package of its own.
    "$root/scripts/system_packages.sh" python3-venv
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi

echo "Installing Fakelight${extra:+ with its extra $extra} into $venv (once; this takes a while)"
pip=("$venv/bin/python" -m pip install --quiet --disable-pip-version-check)
"${pip[@]}" --editable "$root${extra:+[$extra]}"
printf '%s' "$key" > "$stamp"
