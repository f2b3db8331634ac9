#!/usr/bin/env bash
# Runs the test suites, two at a time (or AT_ONCE), and prints how many minutes each took. All of
# them run, whatever fails; the exit status is 1 if one did.
#   run_suites.sh NAME=COMMAND ... [BESIDE NAME=COMMAND ...] [BELOW NAME=COMMAND ...]
#       [THEN NAME=COMMAND ...]
# They begin in the order of the arguments, each as soon as one before it is done. Those behind
# BESIDE, which wait most of their time, run as a third, one after the other; those behind BELOW,
# whose clocks are patient, likewise, with what the others leave of the processors; those behind THEN
# when all others are done. What a suite prints appears when it ends, in one piece.
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

# Runs the suites that are on standard input, so many at a time, that much nicer than this.
some() {
    xargs -0 -r -n 1 -P "$1" nice -n "${2:-0}" bash -c 'run "$1"' run
}

list="$work/together"
for suite in "$@"; do
    case "$suite" in
        BESIDE) list="$work/beside" ;;
        BELOW) list="$work/below" ;;
        THEN) list="$work/then" ;;
        *) printf '%s\0' "$suite" >> "$list" ;;
    esac
done
touch "$work/together" "$work/beside" "$work/below" "$work/then"
some 1 < "$work/beside" &
some "${AT_ONCE:-2}" < "$work/together" &
some 1 10 < "$work/below" &
wait
some 1 < "$work/then"
echo "== suites"
cat "$work/summary"
# By what passed, not by what failed: a suite whose process was killed says nothing at all.
missing=0
for suite in "$@"; do
    [[ "$suite" == *=* ]] || continue
    grep -q "^${suite%%=*} *passed " "$work/summary" && continue
    grep -q "^${suite%%=*} " "$work/summary" || echo "${suite%%=*} did not run to its end"
    missing=1
done
exit "$missing"
