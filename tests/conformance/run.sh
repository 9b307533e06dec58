# mt-conformance as a test: TAP from the program itself.
#   . "${MT_TEST_SRCDIR:-.}/tests/conformance/run.sh"
#   conformance BACKEND [OPTION…]
# shellcheck shell=sh

skip_conformance() {
  echo "1..0 # SKIP $1"
  exit 0
}

conformance() {
  program=${MT_TEST_BUILDDIR:-.}/mt-conformance
  [ -x "$program" ] || skip_conformance "mt-conformance is not built: no CUnit"
  if [ -n "${MT_TEST_VALGRIND-}" ]; then skip_conformance "an hour under valgrind; the sanitizers run it"; fi
  case " ${MT_TEST_PLUGINS-} " in
  *" mt_$1.la "*) ;;
  *) skip_conformance "the backend $1 is not built" ;;
  esac
  exec "$program" "$@" --timeout 300 --format tap
}
