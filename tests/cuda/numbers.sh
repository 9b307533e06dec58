# The numbers of a stand-in's header beside those of NVIDIA's, for the tests of both:
#   . "${MT_TEST_SRCDIR:-.}/tests/cuda/numbers.sh"
#   first FILE FOLDER…             # the path of FILE in the first of the folders that has it; nothing where none has
#   same_numbers FOLDER HEADER     # tests/cuda/FOLDER/numbers.c prints the same with the stand-in's header and with HEADER
# shellcheck shell=sh disable=SC2154

cuda=${CUDA_HOME:-/usr/local/cuda}

first() {
  first_file=$1
  shift
  for folder do
    if [ -f "$folder/$first_file" ]; then
      printf '%s\n' "$folder/$first_file"
      return
    fi
  done
}

numbers() { # FOLDER INCLUDED…
  numbers_source=$srcdir/tests/cuda/$1/numbers.c
  shift
  numbers_flags=
  for folder do numbers_flags="$numbers_flags -I$folder"; done
  # shellcheck disable=SC2086
  ${CC:-cc} $numbers_flags -o "$tap_tmp/numbers" "$numbers_source" && "$tap_tmp/numbers"
}

same_numbers() {
  if ! command -v "${CC:-cc}" >/dev/null; then
    skip "the stand-in's numbers are NVIDIA's" "no compiler"
  elif [ -z "$2" ] || [ ! -f "$cuda/include/cuda_runtime_api.h" ]; then
    skip "the stand-in's numbers are NVIDIA's" "the headers are not there"
  else
    check_equal "the stand-in's numbers are NVIDIA's" \
      "$(numbers "$1" "$srcdir/tests/cuda/$1" "$srcdir/tests/cuda/emulator/include" 2>&1)" \
      "$(numbers "$1" "${2%/*}" "$cuda/include" 2>&1)"
  fi
}
