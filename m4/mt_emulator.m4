# MT_EMULATOR: whether the CUDA emulator (tests/cuda/emulator) can be built: a 64-bit ELF system and a C++17 compiler
# (MT_TEST_CXX) are all it takes.
#   MT_EMULATOR_FLAGS    flags that this compiler takes
#   MT_EMULATOR_CHECKS   its UndefinedBehaviorSanitizer, empty where it does not link
#   MT_EMULATOR_TELLING  flags for kernels that tell their accesses, empty where the compiler has none
#   conditionals HAVE_EMULATOR, HAVE_EMULATOR_RACES; mt_emulator_why says what was missing
AC_DEFUN([MT_EMULATOR], [
MT_EMULATOR_FLAGS=
MT_EMULATOR_CHECKS=
MT_EMULATOR_TELLING=
mt_emulator_why=
cat >conftest.cpp <<'_MT_EOF'
#include <link.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <map>
#include <mutex>
static_assert(sizeof(void *) == 8, "64 bits");
static thread_local int variable;
int conftest(int i) { static std::map<int, int> all; static int x[[4]]; x[[i]]++; return variable + all[[i]] + x[[0]]; }
_MT_EOF
mt_emulator_try="-std=c++17 -shared -fPIC -Wl,-z,defs -o conftest.so conftest.cpp"
AC_MSG_CHECKING([whether the CUDA emulator can be built])
AS_IF([test "x$MT_TEST_CXX" = x], [mt_emulator_why='no C++ compiler'],
      [test "$cross_compiling" = yes], [mt_emulator_why='cross-compiling'],
      [_MT_EMULATOR_TRY([])], [],
      [mt_emulator_why="$MT_TEST_CXX does not build it here (see config.log)"])
AS_IF([test "x$mt_emulator_why" = x], [
  for mt_flag in -fno-gnu-unique -mtls-dialect=gnu2; do
    AS_IF([_MT_EMULATOR_TRY([-Werror $mt_flag])], [AS_VAR_APPEND([MT_EMULATOR_FLAGS], [" $mt_flag"])])
  done
  mt_checks='-fsanitize=alignment,bounds,signed-integer-overflow,integer-divide-by-zero,shift-exponent -fno-sanitize-recover=all'
  AS_IF([_MT_EMULATOR_TRY([-Werror $mt_checks])], [MT_EMULATOR_CHECKS=$mt_checks])
  for mt_flag in '--param tsan-distinguish-volatile=1' '-mllvm -tsan-distinguish-volatile=1'; do
    AS_IF([_MT_EMULATOR_TRY([-Werror -c -fsanitize=thread $mt_flag])],
          [MT_EMULATOR_TELLING="-fsanitize=thread $mt_flag"])
  done
  AC_MSG_RESULT([yes])],
  [AC_MSG_RESULT([no: $mt_emulator_why])])
rm -f conftest.cpp conftest.so conftest.out
AC_SUBST([MT_EMULATOR_FLAGS])
AC_SUBST([MT_EMULATOR_CHECKS])
AC_SUBST([MT_EMULATOR_TELLING])
AM_CONDITIONAL([HAVE_EMULATOR], [test "x$mt_emulator_why" = x])
AM_CONDITIONAL([HAVE_EMULATOR_RACES], [test "x$MT_EMULATOR_TELLING" != x])
])

# _MT_EMULATOR_TRY(flags): a shell command that succeeds where they are taken.
AC_DEFUN([_MT_EMULATOR_TRY],
  [{ $MT_TEST_CXX $1 $mt_emulator_try >conftest.out 2>&1 || { cat conftest.out >&AS_MESSAGE_LOG_FD; false; }; }])
