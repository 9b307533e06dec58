# Convolutions by cuDNN's stand-in, for the tests here:
#   . "${MT_TEST_SRCDIR:-.}/tests/cuda/cudnn/run.sh"
#   passes NAME OPTION…           # mt-conformance's cases of convolutions pass; what the stand-in computed is in $log
#   computed PATTERN              # how many lines of $log match
#   check_computed LEAST PATTERN  # … and that they are not fewer
#   add_device                    # libmt finds the plugin, as the backend `emulated`
# shellcheck shell=sh disable=SC2154
. "${MT_TEST_SRCDIR:-.}/tests/support/tap.sh"
. "${MT_TEST_SRCDIR:-.}/tests/cuda/emulator/backend.sh"

MT_CUDA_LIBRARY_PATH=$builddir/tests/cuda/emulator/built/cudnn
MT_CUDNN_LOG=$tap_tmp/log
export MT_CUDA_LIBRARY_PATH MT_CUDNN_LOG
emulated=$MT_CUDA_LIBRARY_PATH/mt_cuda_emulated.so
log=$MT_CUDNN_LOG

[ -f "$emulated" ] || skip_all "the CUDA emulator is not built: configure says why"
[ -x "$builddir/mt-conformance" ] || skip_all "mt-conformance is not built: no CUnit"
if [ -n "${MT_TEST_VALGRIND-}" ]; then skip_all "an hour under valgrind; the sanitizers run it"; fi

passes() {
  passes_name=$1
  shift
  : >"$log"
  "$builddir/mt-conformance" "$emulated" --jobs 2 --timeout 300 "$@" >"$tap_tmp/out" 2>&1
  passes_status=$?
  check_equal "$passes_name: conformance passes" \
    "$passes_status$(grep -A 6 -e '^FAILED .' -e "^cuDNN's stand-in" "$tap_tmp/out" | head -n 60)" 0
}

computed() {
  grep -c -e "$1" "$log"
}

check_computed() {
  n=$(computed "$2")
  check "$n of '$2', at least $1" test "$n" -ge "$1"
}

add_device() {
  emulated_backend emulated "$emulated"
}
