# mt-conformance as a test: TAP from the program itself.
#   . "${MT_TEST_SRCDIR:-.}/tests/conformance/run.sh"
#   conformance BACKEND [OPTION…]
#   need_isa LEVEL                         # omp: skips where MT_MAX_ISA=LEVEL gives less than that level
#   conformance_emulated ORDER [OPTION…]    # the CUDA plugin on the emulator (tests/cuda/emulator)
#   conformance_arithmetic [OPTION…]        # the same with nvcc's arithmetic
#   conformance_races [OPTION…]             # … with kernels that tell their accesses: a race ends a case
#   keep_launches NAME                      # what kernels are launched with there, for tests/cuda/launches.test
#   conformance_cublaslt [OPTION…]          # its matmul through cuBLASLt's stand-in (tests/cuda/cublaslt)
# shellcheck shell=sh

skip_conformance() {
  echo "1..0 # SKIP $1"
  exit 0
}

need_conformance() {
  program=${MT_TEST_BUILDDIR:-.}/mt-conformance
  [ -x "$program" ] || skip_conformance "mt-conformance is not built: no CUnit"
  if [ -n "${MT_TEST_VALGRIND-}" ]; then skip_conformance "an hour under valgrind; the sanitizers run it"; fi
}

conformance() {
  need_conformance
  case " ${MT_TEST_PLUGINS-} " in
  *" mt_${1%_tiled}.la "*) ;;
  *) skip_conformance "the backend $1 is not built" ;;
  esac
  exec "$program" "$@" --timeout 300 --format tap
}

need_isa() {
  features=$("${MT_TEST_BUILDDIR:-.}/mt-info" 2>/dev/null | sed -n '/device omp:/,/^$/s/^ *features: //p')
  [ "$features" = "$1" ] || skip_conformance "omp has no level $1 here, but ${features:-none}"
}

keep_launches() {
  MT_EMULATOR_LAUNCHES=$(cd "${MT_TEST_BUILDDIR:-.}" && pwd)/tests/cuda/launches_$1.txt
  export MT_EMULATOR_LAUNCHES
  rm -f "$MT_EMULATOR_LAUNCHES"
}

# run_emulated FOLDER [OPTION…]: the plugin that emulator.mk built there
run_emulated() {
  need_conformance
  emulated=${MT_TEST_BUILDDIR:-.}/tests/cuda/emulator/$1/mt_cuda_emulated.so
  [ -f "$emulated" ] || skip_conformance "the CUDA emulator is not built: configure says why"
  shift
  exec "$program" "$emulated" "$@" --timeout 300 --format tap
}

conformance_emulated() {
  MT_EMULATOR_ORDER=$1
  export MT_EMULATOR_ORDER
  shift
  run_emulated built "$@"
}

conformance_arithmetic() {
  run_emulated built/arithmetic "$@"
}

conformance_races() {
  run_emulated built/races "$@"
}

conformance_cublaslt() {
  need_conformance
  MT_CUDA_LIBRARY_PATH=${MT_TEST_BUILDDIR:-.}/tests/cuda/emulator/built/cublaslt
  export MT_CUDA_LIBRARY_PATH
  emulated=$MT_CUDA_LIBRARY_PATH/mt_cuda_emulated.so
  [ -f "$emulated" ] || skip_conformance "the CUDA emulator is not built: configure says why"
  exec "$program" "$emulated" --option gemm=cublas --op matmul "$@" --timeout 300 --format tap
}

# conformance_of_device BACKEND: with 1,000 random cases, and skipped where the backend has no device.
conformance_of_device() {
  reason=$("${MT_TEST_BUILDDIR:-.}/mt-conformance" "$1" --op entry.fills_table 2>&1 >/dev/null)
  case $reason in
  *": no device: "*) skip_conformance "$reason" ;;
  esac
  conformance "$1" --random 1000
}

# errors_of BACKEND: tests/conformance/ulp on its plugin
errors_of() {
  case " ${MT_TEST_PLUGINS-} " in
  *" mt_$1.la "*) ;;
  *) skip_conformance "the backend $1 is not built" ;;
  esac
  if [ -n "${MT_TEST_VALGRIND-}" ]; then skip_conformance "minutes under valgrind"; fi
  exec "${MT_TEST_BUILDDIR:-.}/tests/conformance/ulp" "${MT_TEST_BUILDDIR:-.}/.libs/mt/mt_$1.so"
}
