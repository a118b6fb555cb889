#!/usr/bin/env bash
# Runs the built tests, as `make test` does: FaultTests beside all others, because most of their time is waiting; DashboardTests
# by themselves, because their server runs in the tests' process, where tests that wait for others would keep it from
# answering. What the process in the background says is printed when it has ended; the last lines are the counts.
set -u
tests=${1:-.build/release/groksweepPackageTests.xctest}
words=$(mktemp)
trap 'rm -f "$words" "$words".*' EXIT
# A crash is said in a line: the backtrace of a whole test bundle takes minutes.
export SWIFT_BACKTRACE=${SWIFT_BACKTRACE:-enable=no}

run() {
  "$tests" --testing-library swift-testing "$@"
}

run --filter '^FaultTests\.' >"$words.faults" 2>&1 &
faults=$!
run --skip '^(FaultTests|DashboardTests)\.' 2>&1 | tee "$words.most"
most=${PIPESTATUS[0]}
run --filter '^DashboardTests\.' 2>&1 | tee "$words.dashboard"
dashboard=${PIPESTATUS[0]}
wait "$faults"
faults=$?
cat "$words.faults"

echo
grep -ahE '^. Test .* (failed|recorded an issue)' "$words".*
grep -ahE 'Test run with' "$words".*
for status in "$faults" "$most" "$dashboard"; do
  [ "$status" -eq 0 ] || exit 1
done
