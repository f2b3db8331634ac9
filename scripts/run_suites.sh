#!/usr/bin/env bash
# Runs the test suites one after the other and prints how many minutes each took. All of them
# run, whatever fails; the exit status is 1 if one did.
#   run_suites.sh NAME=COMMAND ...
set -uo pipefail

failed=0
summary=()
for suite in "$@"; do
    name="${suite%%=*}"
    command="${suite#*=}"
    echo "== $name: $command"
    started=$(date +%s)
    # 5 is pytest's word for "no tests collected", which is a failure here too.
    if bash -c "$command"; then outcome=passed; else outcome=FAILED; failed=1; fi
    seconds=$(($(date +%s) - started))
    summary+=("$(printf '%-10s %-7s %2d min %02d s' "$name" "$outcome" $((seconds / 60)) $((seconds % 60)))")
done
echo "== suites"
printf '%s\n' "${summary[@]}"
exit "$failed"
