# Conformance, the unit tests on the device, and what is reported beside them: PyTorch and times. A part of gpu-check, which has the functions used here.
# shellcheck shell=bash disable=SC2034,SC2154

# --- conformance and gradients -------------------------------------------------------------------

# The number before WORD in the totals of a text report of mt-conformance.
total() { # FILE WORD
  sed -n "s/^[0-9]* ops,.*[^0-9]\([0-9][0-9]*\) $2.*/\1/p" "$1" | tail -n 1
}

# What asks the plugin for the libraries by name: an error where they are not there.
library_options=gemm=cublas,conv=cudnn

check_conformance() { # NAME DEVICE JOBS OPTION…
  launch "conformance_$1" "$(choose 210 75)" "$prefix/bin/mt-conformance" "$2" --jobs "$3" --timeout 30 \
    --random "$(choose 2000 300)" ${quick:+--dtype f32,bf16,i64} "${@:4}"
}

judge_conformance() { # NAME CHECK
  local file=$work/conformance_$1.out why numbers executed
  why=$(unfinished "conformance_$1")
  executed=$(total "$file" "cases executed")
  numbers="$(grep -E '^[0-9]+ ops, ' "$file" | tail -n 1)"
  numbers="${numbers:-$(last_line "$work/conformance_$1.err")} $(grep -E '^[0-9]+ checks of the plugin' "$file" | tail -n 1)"
  if [ "$1" = library ] && grep -q 'was asked for, but' "$file"; then
    verdict "$2" "not run" "$(grep -m 1 -o '[^:]* was asked for, but.*' "$file")"
  elif grep -q '^FAILED' "$file" || { [ -z "$why" ] && [ "$(status_of "conformance_$1")" != 0 ]; }; then
    verdict "$2" FAIL "$(grep -c '^FAILED .*:' "$file") failures shown. $numbers${why:+, $why}"
  elif [ -n "$why" ]; then
    verdict "$2" "not run" "$why"
  elif [ "${executed:-0}" -lt 1 ] || ! grep -q -x passed "$file"; then
    verdict "$2" FAIL "no result: $numbers"
  elif grep -q -E '^[0-9]+ ops,.* [1-9][0-9]* (refused|missing)' "$file"; then
    verdict "$2" FAIL "not every case was run here: $numbers"
  else
    verdict "$2" pass "$numbers"
  fi
}

conformance_text() { # NAME DEVICE
  printf '\nmt-conformance %s, %s s:\n\n' "$2" "$(seconds_of "conformance_$1")"
  grep -A4 '^FAILED' "$work/conformance_$1.out" | head -n 100 >"$work/failures"
  if [ -s "$work/failures" ]; then block 100 <"$work/failures"; fi
  { grep -E '^([0-9]+ (ops|checks)|passed$|FAILED$)' "$work/conformance_$1.out"; tail -n 5 "$work/conformance_$1.err"; } | block
}

tests() { (cd "$prefix/libexec" 2>/dev/null && ls test_* 2>/dev/null); }

check_suites() {
  local name slow='test_gradcheck test_conv_grad test_higher_order test_derivatives test_gradients'
  say "conformance and gradients"
  check_conformance device "$device" $(((cores + 2) / 3))
  if [ "$own" != "$device" ]; then
    check_conformance own "$own" $(((cores + 2) / 3))
    check_conformance library "$device" $(((cores + 5) / 6)) --option gemm=cublas --option conv=cudnn --op matmul --op 'conv*'
  fi
  for name in $slow $(tests | grep -v -x -F "$(tr ' ' '\n' <<<"$slow")"); do
    if [ ! -x "$prefix/libexec/$name" ]; then continue; fi
    room_for $((3 + (cores + 3) / 4))
    launch "$name" "$(choose 150 60)" env MT_TEST_BACKENDS="$device$([ "$own" = "$device" ] || echo ",$own")" \
      OMP_NUM_THREADS=1 "$prefix/libexec/$name"
  done
  wait
  judge_conformance device conformance
  if [ "$own" = "$device" ]; then
    verdict "conformance, library path" "not run" "there is no ${device}_tiled: one path is all that was run"
    verdict "conformance, own path" "not run" "there is no ${device}_tiled"
  else
    judge_conformance library "conformance, library path"
    judge_conformance own "conformance, own path"
  fi
  {
    conformance_text device "$device"
    if [ "$own" != "$device" ]; then
      conformance_text library "$device, products and convolutions with $library_options"
      conformance_text own "$own"
    fi
  } | section 40 "Conformance"
  judge_gradients | section 50 "Gradients and values of every op"
  read -r word numbers <"$work/gradients"
  verdict "gradients" "${word/not/not run}" "$numbers"
}

# Prints the programs' results; leaves "VERDICT NUMBERS" in $work/gradients.
judge_gradients() {
  local name good=0 bad=0 skipped=0 broken="" late="" programs=0
  for name in $(tests); do
    programs=$((programs + 1))
    good=$((good + $(grep '^ok ' "$work/$name.out" 2>/dev/null | grep -vc '# SKIP')))
    skipped=$((skipped + $(grep -c '^ok .*# SKIP' "$work/$name.out" 2>/dev/null)))
    bad=$((bad + $(grep -c '^not ok ' "$work/$name.out" 2>/dev/null)))
    if [ -n "$(unfinished "$name")" ]; then
      late="$late $name"
    elif [ "$(status_of "$name")" != 0 ] || ! grep -q '^1\.\.[1-9]' "$work/$name.out"; then
      broken="$broken $name"
    fi
  done
  echo "$programs programs on $device$([ "$own" = "$device" ] || echo " and $own"): $good tests passed, $bad failed, $skipped skipped.${broken:+ Failed:$broken.}${late:+ Not finished:$late.}"
  for name in $broken; do
    echo
    echo "$name, status $(status_of "$name"):"
    echo
    { grep -A8 '^not ok' "$work/$name.out"; tail -n 3 "$work/$name.err"; } | block 40
  done
  if [ -n "$broken" ] || [ "$bad" -gt 0 ]; then
    echo "FAIL $good passed, $bad failed;$broken" >"$work/gradients"
  elif [ -n "$late" ] || [ "$programs" = 0 ]; then
    echo "not $good passed in $programs programs;$late" >"$work/gradients"
  else
    echo "pass $good tests in $programs programs" >"$work/gradients"
  fi
}

# --- beside PyTorch, and times -------------------------------------------------------------------

check_oracle() {
  local python summary limit
  if [ -n "$quick" ] || [ ! -x "$prefix/libexec/mt-oracle" ] || [ ! -f "$prefix/libexec/oracle.py" ]; then return; fi
  python=$(command -v python3)
  limit=$(within 60) # PyTorch may take half a minute to load for the first time
  if [ "$limit" -lt 2 ]; then
    verdict "PyTorch agrees" "not run" "no time was left"
    return
  fi
  if [ -z "$python" ] || ! timeout "$limit" "$python" -c 'import numpy, torch' 2>/dev/null; then
    echo "There is no Python with PyTorch here." | section 70 "Every op against PyTorch"
    return
  fi
  say "the oracle"
  run oracle 60 env OMP_NUM_THREADS=2 PYTHONDONTWRITEBYTECODE=1 "$python" "$prefix/libexec/oracle.py" --program "$prefix/libexec/mt-oracle" \
    --device "$device" --cases 4000
  summary=$(grep -E '^[0-9]+ ops on ' "$work/oracle.out" | tail -n 1)
  { tail -n 40 "$work/oracle.out"; tail -n 5 "$work/oracle.err"; } | block | section 70 "Every op against PyTorch"
  if [ -n "$(unfinished oracle)" ]; then
    verdict "PyTorch agrees" "not run" "$(unfinished oracle)"
  elif [ "$(status_of oracle)" = 0 ] && [ -n "$summary" ]; then
    verdict "PyTorch agrees" pass "$summary"
  else
    verdict "PyTorch agrees" FAIL "${summary:-$(last_line "$work/oracle.err")}"
  fi
}

# What a GPU is for, at sizes beyond its caches, and some where a launch is all that counts.
bench_options() {
  local op size
  for op in matmul matmul_nt matmul_batched linear_relu copy transpose relu gelu add add_row rand sum 'sum_*' argmax_rows cumsum_rows \
    'embedding*' 'conv*' max_pool softmax cross_entropy 'layer_norm*' 'batch_norm*' attention 'transformer_*' '*_step'; do
    printf -- '--op\n%s\n' "$op"
  done
  for size in 64x64 4096x4096 'm=*' 'b=*' 'lenet*' 'resnet*' 'large*' '*x32000' 4096x768 '*of 32000*' 'n=*'; do
    printf -- '--size\n%s\n' "$size"
  done
}

# PyTorch on the same GPU, at the same cases: a report for mt-bench to lay beside its own.
peer_options() { # OPTION…
  local python
  python=$(command -v python3)
  if [ -z "$python" ] || [ ! -f "$prefix/libexec/peers/torch_peer.py" ] || ! grep -q '^cuda' <<<"$device"; then return; fi
  "$prefix/bin/mt-bench" --list "$@" >"$work/bench.cases" || return
  run bench_torch 60 env PYTHONDONTWRITEBYTECODE=1 "$python" "$prefix/libexec/peers/torch_peer.py" --device cuda --cases "$work/bench.cases" \
    --json "$work/bench_torch.json" --min-time 0.02 --max-time 0.2
  if [ -s "$work/bench_torch.json" ]; then printf -- '--peer\n%s\n' "$work/bench_torch.json"; fi
}

check_times() {
  local columns=$device options peer
  if [ -n "$quick" ]; then return; fi
  if [ ! -x "$prefix/bin/mt-bench" ]; then
    echo "There is no mt-bench in the tree." | section 80 "Times"
    return
  fi
  say "times"
  if [ "$own" != "$device" ]; then columns=$columns,$own; fi
  mapfile -t options < <(bench_options)
  options+=(--dtype "f32,bf16")
  mapfile -t peer < <(peer_options "${options[@]}")
  run bench 100 "$prefix/bin/mt-bench" --compare "$columns,omp" --min-time 0.02 --max-time 0.2 "${options[@]}" "${peer[@]}"
  { cat "$work/bench.out"; tail -n 5 "$work/bench.err" "$work/bench_torch.err" 2>/dev/null; unfinished bench; } | block 300 |
    section 80 "Times"
}
