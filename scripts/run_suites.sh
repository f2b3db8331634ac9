#!/usr/bin/env bash
# Runs the test suites, two at a time, and prints how many minutes each took. All of them run,
# whatever fails; the exit status is 1 if one did.
#   run_suites.sh NAME=COMMAND ... [THEN NAME=COMMAND ...]
# They begin in the order of the arguments, each as soon as one before it is done: with the longest
# first, both ends come close together. What stands behind THEN runs one after the other when all of
# them are done. What a suite prints appears when it ends, in one piece.
set -uo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
trap 'trap - INT TERM; kill 0' INT TERM

run() {
    local name="${1%%=*}" command="${1#*=}" outcome=passed started seconds
    started=$(date +%s)
    echo "== $name begins"
    # 5 is pytest's word for "no tests collected", which is a failure here too.
    bash -c "$command" > "$work/$name.txt" 2>&1 < /dev/null || outcome=FAILED
    seconds=$(($(date +%s) - started))
    # One suite at a time has the terminal.
    exec 9> "$work/terminal"
    flock 9
    echo "== $name: $command"
    cat "$work/$name.txt"
    exec 9>&-
    printf '%-10s %-7s %2d min %02d s\n' "$name" "$outcome" $((seconds / 60)) $((seconds % 60)) \
        >> "$work/summary"
}
export -f run
export work

together=()
while [ $# -gt 0 ] && [ "$1" != THEN ]; do
    together+=("$1")
    shift
done
printf '%s\0' "${together[@]}" | xargs -0 -n 1 -P 2 bash -c 'run "$1"' run
for suite in "${@:2}"; do run "$suite"; done
echo "== suites"
cat "$work/summary"
! grep -q FAILED "$work/summary"
