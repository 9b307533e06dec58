# emulated_backend NAME LIBRARY [PRIORITY]: libmt finds the CUDA plugin on the emulator as the backend NAME, before any other of
# that name, and nothing falls back to another one.  After tests/support/tap.sh.
# shellcheck shell=sh disable=SC2154
emulated_backend() {
  cat >"$tap_tmp/emulated.json" <<JSON
{"manifest_version": "1.0", "backends": [{"name": "$1", "library": "$2", "abi": 0, "priority": ${3:-1},
  "role": "accelerator", "description": "the CUDA plugin on a CPU"}]}
JSON
  MT_ADD_MANIFEST_PATH=$tap_tmp/emulated.json
  MT_FALLBACK=error
  export MT_ADD_MANIFEST_PATH MT_FALLBACK
}
