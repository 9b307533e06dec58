# Training: accuracy, the loss curve beside omp's, and whether memory grows. A part of gpu-check, which has the functions used here.
# shellcheck shell=bash disable=SC2034,SC2154

# --- training ------------------------------------------------------------------------------------

data_option() {
  if compgen -G "$prefix/share/mnist/train-images-idx3-ubyte*" >/dev/null; then
    echo "$prefix/share/mnist"
  elif compgen -G "${MT_DATA_DIR:-/nonexistent}/mnist/train-images-idx3-ubyte*" >/dev/null; then
    echo "$MT_DATA_DIR/mnist"
  else
    echo synthetic
  fi
}

train() { # NAME DEVICE
  run "train_$1" "$(choose 60 30)" env MT_LOG=info MT_FALLBACK=error "$prefix/bin/train_mnist" --model lenet --epochs 1 --seed 1 --data "$data" \
    --backend "$2" --log "$work/train_$1.jsonl"
}

# The word after WORD in the last line of a training's output.
result() { # NAME WORD
  last_line "$work/train_$1.out" |
    awk -v word="$2" '/^test accuracy/ { for (i = 1; i < NF; i++) if ($i == word) { sub(/%$/, "", $(i + 1)); print $(i + 1) } }'
}

# The losses of the first 50 steps, one a line.
losses() { # NAME
  sed -n '/"split"/d; s/.*"loss": \([^,}]*\).*/\1/p' "$work/train_$1.jsonl" 2>/dev/null | head -n 50
}

# "STEPS LARGEST-DIFFERENCE" of two runs; a loss that is no number makes the difference "nan".
curve() { # NAME NAME
  paste -d' ' <(losses "$1") <(losses "$2") | awk '
    NF < 2 { next }
    $1 !~ /^-?[0-9]/ || $2 !~ /^-?[0-9]/ { bad = 1 }
    { n++; d = $1 - $2; if (d < 0) d = -d; if (d > most) most = d }
    END { if (bad) print n + 0, "nan"; else printf "%d %.2g\n", n, most }'
}

# What the plugin says of the ways that it takes for products and convolutions.
paths_of() { # NAME
  sed -n 's/^mt info: *cuda:[0-9]*: //p' "$work/train_$1.err" 2>/dev/null | sort -u | head -n 6 | paste -s -d';' | sed 's/;/; /g; s/|/\\|/g'
}

train_row() { # NAME DEVICE DIFFERENCE
  echo "| $2 | $(result "$1" images/s) | $(result "$1" accuracy)% | $3 | $(paths_of "$1") |"
}

check_training() {
  local own_curve device_curve numbers="" name bad="" why
  data=$(data_option)
  say "training on $device, $own and omp, data: $data"
  train device "$device"
  if [ "$own" != "$device" ]; then
    train library "$device:$library_options"
    train own "$own"
  fi
  train omp omp
  device_curve=$(curve device omp)
  own_curve=$(curve own omp)
  {
    echo "\`train_mnist --model lenet --epochs 1 --seed 1\`, data: ${data##*/}. The difference is the largest of the first 50 steps' losses from omp's."
    echo
    echo "| device | images/s | test accuracy | difference | paths |"
    echo "| --- | --- | --- | --- | --- |"
    train_row device "$device" "${device_curve#* }"
    if [ "$own" != "$device" ]; then
      train_row library "$device:$library_options" "$(curve library omp | cut -d' ' -f2)"
      train_row own "$own" "${own_curve#* }"
    fi
    train_row omp omp ""
    for name in device library own omp; do
      if [ -n "$(result $name accuracy)" ] || [ ! -f "$work/train_$name.err" ]; then continue; fi
      echo
      echo "$name:"
      grep -v '^mt info' "$work/train_$name.err" | tail -n 10 | block
    done
  } | section 30 "Training"
  for name in device own; do
    if [ ! -f "$work/train_$name.status" ]; then continue; fi
    why=$(unfinished "train_$name")
    numbers="$numbers${numbers:+, }$([ $name = own ] && echo "$own" || echo "$device") $(result $name accuracy)%${why:+ ($why)}"
    if ! awk -v a="$(result $name accuracy)" 'BEGIN { exit !(a ~ /^[0-9.]+$/ && a >= 98.0) }'; then bad=yes; fi
  done
  if [ -n "$(unfinished train_device)" ]; then
    verdict "training accuracy" "not run" "$numbers"
  elif [ "$data" = synthetic ]; then
    verdict "training accuracy" "not run" "no MNIST here: synthetic digits, $numbers"
  else
    verdict "training accuracy" "$([ -z "$bad" ] && echo pass || echo FAIL)" "$numbers; 98.0% is asked"
  fi
  judge_curves "$device_curve" "$own_curve"
}

judge_curves() { # DEVICE'S OWN'S
  local bad="" curve numbers="$device ${1#* }"
  for curve in "$1" "$([ "$own" = "$device" ] && echo "$1" || echo "$2")"; do
    if ! awk -v n="${curve% *}" -v d="${curve#* }" 'BEGIN { exit !(n == 50 && d ~ /^[0-9]/ && d + 0 <= 1e-3) }'; then bad=yes; fi
  done
  if [ "$own" != "$device" ]; then numbers="$numbers, $own ${2#* }"; fi
  numbers="over ${1% *} steps: $numbers; 1e-3 is allowed"
  if [ -n "$(unfinished train_device)$(unfinished train_omp)" ]; then
    verdict "loss curve" "not run" "$numbers"
  else
    verdict "loss curve" "$([ -z "$bad" ] && echo pass || echo FAIL)" "$numbers"
  fi
}

# --- leaks ---------------------------------------------------------------------------------------

memory_used() { timeout 2 nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits 2>/dev/null | head -n 1 | tr -cd '0-9'; }

# While process PID trains, at most LIMIT seconds: a line "STEP RSS-KIB DEVICE-MIB" every fifth of a second.
watch_memory() { # PID LOG LIMIT
  local rss step used="" from=$SECONDS
  while rss=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status" 2>/dev/null) && [ -n "$rss" ]; do
    step=$(tail -n 2 "$2" 2>/dev/null | sed -n 's/.*"step": \([0-9]*\).*}$/\1/p' | tail -n 1)
    if [ -n "$asks" ]; then used=$(memory_used); fi
    echo "${step:-0} $rss ${used:-none}"
    if [ $((SECONDS - from)) -ge "$3" ]; then kill "$1" 2>/dev/null; fi
    sleep 0.2
  done
}

# "STEPS RSS-GROWTH-MIB DEVICE-GROWTH-MIB" between the first and the last quarter of what was seen after step 200; the last
# two lines, in which the process may be ending already, do not count.
growth() { # FILE
  awk '$1 >= 200 { step[++n] = $1; rss[n] = $2; used[n] = $3 }
    END {
      n -= 2
      if (n < 4) { print "0 none none"; exit }
      q = int(n / 4)
      for (i = 1; i <= q; i++) { r += rss[n - q + i] - rss[i]; u += used[n - q + i] - used[i]; if (used[i] == "none") none = 1 }
      printf "%d %.2f %s\n", step[n] - step[1], r / q / 1024, none ? "none" : sprintf("%.1f", u / q)
    }' "$1"
}

check_growth() {
  local rate epochs pid limit asks
  limit=$(within 45)
  echo "0 none none" >"$work/growth"
  rate=$(result device images/s)
  if [ "$limit" -lt 10 ] || [ -z "$rate" ]; then return; fi
  epochs=$(awk -v rate="$rate" -v want="$(choose 10 6)" 'BEGIN { e = int(want * rate / 60000) + 1; print (e < 2 ? 2 : (e > 60 ? 60 : e)) }')
  say "memory over $epochs epochs"
  asks=$(memory_used) # an nvidia-smi that takes its time is not asked while the training runs
  "$prefix/bin/train_mnist" --model lenet --epochs "$epochs" --seed 2 --data "$data" --backend "$device" --quiet \
    --log "$work/leak.jsonl" >"$work/leak.out" 2>"$work/leak.err" </dev/null &
  pid=$!
  watch_memory "$pid" "$work/leak.jsonl" "$limit" >"$work/leak.samples"
  wait
  growth "$work/leak.samples" >"$work/growth"
}

judge_leaks() {
  local steps rss used numbers leaked
  read -r steps rss used <"$work/growth"
  leaked=$(sanitizer_leaks)
  numbers="process $rss MiB, device $used MiB over $steps steps"
  if [ -n "$leaked" ]; then numbers="$numbers; compute-sanitizer: $leaked"; fi
  if [ "$steps" -lt 1000 ]; then
    verdict leaks "not run" "only $steps steps were seen; $numbers"
  elif ! awk -v r="$rss" -v u="$used" 'BEGIN { exit !(r <= 4 && (u == "none" || u <= 2)) }'; then
    verdict leaks FAIL "$numbers"
  elif [ -n "$leaked" ] && [ "${leaked%% *}" != 0 ]; then
    verdict leaks FAIL "$numbers"
  else
    verdict leaks pass "$numbers"
  fi
}
