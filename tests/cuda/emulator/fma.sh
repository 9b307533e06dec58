# has_fma: whether what emulator.mk builds with nvcc's arithmetic runs here.
# shellcheck shell=sh
has_fma() {
  [ "$(uname -m)" != x86_64 ] || grep -qw fma /proc/cpuinfo
}
