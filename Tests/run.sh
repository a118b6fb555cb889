#!/usr/bin/env bash
# Runs the built tests, as `make test` does, in four processes. Those that start the real program (FaultTests, CommandTests) run
# beside the others, since most of their time is waiting; DashboardTests by themselves, since their server runs in the tests'
# process, where tests that wait for others would keep it from answering. What runs in the background is printed when it
# has ended. The last lines are what failed and the counts.
set -u
tests=${1:-.build/release/groksweepPackageTests.xctest}
words=$(mktemp -d)
trap 'rm -rf "$words"' EXIT
# A crash is said in a line: the backtrace of a whole test bundle takes minutes.
export SWIFT_BACKTRACE=${SWIFT_BACKTRACE:-enable=no} NO_COLOR=1

run() {
  "$tests" --testing-library swift-testing "$@" 2>&1
}

run --filter '^FaultTests\.' >"$words/faults" &
faults=$!
run --filter '^CommandTests\.' >"$words/commands" &
commands=$!
run --skip '^(FaultTests|CommandTests|DashboardTests)\.' | tee "$words/most"
most=${PIPESTATUS[0]}
run --filter '^DashboardTests\.' | tee "$words/dashboard"
dashboard=${PIPESTATUS[0]}
wait "$commands"
commands=$?
cat "$words/commands"
wait "$faults"
faults=$?
cat "$words/faults"

echo
cat "$words"/* | grep -aE '^.{0,5} Test .*(failed after|recorded an issue)' || true
cat "$words"/* | grep -aE 'Test run with' | tee "$words/counts"
sum=$(sed -E 's/.*Test run with ([0-9]+) tests.*/\1/' "$words/counts" | awk '{ sum += $1 } END { print sum + 0 }')
echo "$sum tests in four runs"
for status in "$faults" "$commands" "$most" "$dashboard"; do
  [ "$status" -eq 0 ] || exit 1
done
