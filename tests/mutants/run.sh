#!/usr/bin/env bash
# Mutation testing of the rooms that decide about money: settlement, sweep, reconcile, and of
# domain::{money, currency}, by the tests that are theirs alone.
#
#   tests/mutants/run.sh            every mutant (about half an hour)
#   tests/mutants/run.sh --list     what would be changed
#
# These rooms import nothing but domain, so they are built as a small package of their own: a
# mutant costs seconds, not the linking of the whole house. Further arguments go to cargo-mutants.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v cargo-mutants >/dev/null || cargo install --locked cargo-mutants@27.1.0
house=target/mutants/house
rm -rf "$house" && mkdir -p "$house/src" "$house/tests" "$house/fixtures"

cp -r src/domain src/settlement src/sweep src/reconcile "$house/src/"
printf '%s\n' '#![allow(missing_docs)]' \
  'pub mod domain;' 'pub mod reconcile;' 'pub mod settlement;' 'pub mod sweep;' \
  >"$house/src/lib.rs"
for tests in debt_law debt_lines decisions settlement_feed settlement_history \
  settlement_properties sweep reconcile_breaks; do
  cp "tests/$tests.rs" "$house/tests/"
  [ ! -d "tests/$tests" ] || cp -r "tests/$tests" "$house/tests/"
done
cp -r tests/settlement tests/journal "$house/tests/"
cp -r fixtures/reconcile "$house/fixtures/"
cp Cargo.lock "$house/"
{
  printf '[package]\nname = "tripsettle"\nversion = "0.0.0"\nedition = "2024"\n\n[workspace]\n\n'
  printf '[dependencies]\n'
  grep -E '^(chrono|cron|iso_currency|jiff|rust_decimal|serde|serde_json|thiserror) = ' Cargo.toml
  printf '\n[dev-dependencies]\n'
  grep -E '^proptest = ' Cargo.toml
  printf '\n[profile.dev]\ndebug = false\n\n[profile.dev.package."*"]\nopt-level = 1\n'
} >"$house/Cargo.toml"

cd "$house"
exec cargo mutants --no-shuffle --in-place --timeout 60 --output .. \
  --file 'src/settlement/**' --file 'src/sweep/**' --file 'src/reconcile/**' \
  --file 'src/domain/money.rs' --file 'src/domain/currency.rs' "$@"
