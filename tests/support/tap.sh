# tap.sh: TAP for shell tests. A test script sources it, says what holds, and ends with `tap_done`:
#   . "${MT_TEST_SRCDIR:-.}/tests/support/tap.sh"
#   check "two is two" test 2 = 2
#   tap_done
# shellcheck shell=sh disable=SC2034

tap_count=0
tap_failed=0
srcdir=${MT_TEST_SRCDIR:-.}
builddir=${MT_TEST_BUILDDIR:-.}

tap_tmp=$(mktemp -d "${TMPDIR:-/tmp}/mt-test.XXXXXX") || exit 99
trap 'rm -rf "$tap_tmp"' EXIT
trap 'exit 130' HUP INT TERM

# ok NAME / not_ok NAME [TEXT]: one result, with TEXT as diagnostics.
ok() {
  tap_count=$((tap_count + 1))
  echo "ok $tap_count - $1"
}
not_ok() {
  tap_count=$((tap_count + 1))
  tap_failed=$((tap_failed + 1))
  echo "not ok $tap_count - $1"
  if [ -n "${2-}" ]; then printf '%s\n' "$2" | sed 's/^/# /'; fi
}

# skip NAME REASON
skip() {
  tap_count=$((tap_count + 1))
  echo "ok $tap_count - $1 # SKIP $2"
}

# skip_all REASON: the whole script has nothing to test here.
skip_all() {
  echo "1..0 # SKIP $1"
  exit 0
}

# check NAME COMMAND…: passes where the command succeeds; its output is shown where it doesn't.
check() {
  tap_name=$1
  shift
  if tap_output=$("$@" 2>&1); then
    ok "$tap_name"
  else
    not_ok "$tap_name" "exit status $? from: $*
$tap_output"
  fi
}

# check_equal NAME ACTUAL EXPECTED
check_equal() {
  if [ "$2" = "$3" ]; then
    ok "$1"
  else
    not_ok "$1" "got:
$2
expected:
$3"
  fi
}

# check_contains NAME TEXT PART
check_contains() {
  case $2 in
  *"$3"*) ok "$1" ;;
  *) not_ok "$1" "did not find: $3
in:
$2" ;;
  esac
}

# tap_done: the plan. Failures set the exit status only where no harness reads the TAP.
tap_done() {
  echo "1..$tap_count"
  [ "$tap_count" -gt 0 ] || exit 1
  [ "$tap_failed" -eq 0 ] || [ -n "${MT_TEST_HARNESS-}" ] || exit 1
  exit 0
}
