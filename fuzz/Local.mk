# libFuzzer targets: scripts/fuzz builds and runs them, make does not.  seeds.c and read_all.c are also the unit test's
# that damages files.
EXTRA_DIST += %D%/fuzz_idx.c %D%/fuzz_manifest.c %D%/fuzz_npy.c %D%/fuzz_npz.c %D%/fuzz_safetensors.c
EXTRA_DIST += %D%/make_seeds.c
dist_noinst_SCRIPTS += scripts/fuzz
