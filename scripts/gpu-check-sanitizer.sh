# compute-sanitizer over a short conformance run, after faults that are planted for it. A part of gpu-check, which has the functions used here.
# shellcheck shell=bash disable=SC2034,SC2154

# --- compute-sanitizer ---------------------------------------------------------------------------

sanitizer=""
ports=49152

# Launches a command under a tool; the tool's report goes to $work/NAME.san.
sanitize() { # NAME LIMIT TOOL COMMAND…
  local name=$1 limit=$2 tool=$3 options=()
  shift 3
  case $tool in
  memcheck) options=(--report-api-errors no) ;;
  leaks) tool=memcheck options=(--report-api-errors no --leak-check full) ;;
  racecheck) if grep -q racecheck-num-workers "$work/sanitizer.help"; then options=(--racecheck-num-workers 1); fi ;;
  esac
  # Processes side by side need ports of their own.
  if grep -q -e '--max-connections' "$work/sanitizer.help"; then options+=(--port "$ports" --max-connections 24); fi
  ports=$((ports + 24))
  : >"$work/$name.san"
  launch "$name" "$limit" "$sanitizer" --tool "$tool" --target-processes all --check-exit-code no \
    --print-limit 20 --log-file "$work/$name.san" "${options[@]}" "$@"
}

# The sum of what the summaries of a report say; nothing where it has none.
summaries() { # NAME SUMMARY WORD
  sed -n "s/.*$2 SUMMARY: \([0-9]*\) $3.*/\1/p" "$work/$1.san" 2>/dev/null | awk '{ n += $1; any = 1 } END { if (any) print n }'
}

# How much a report counts: errors, hazards, or bytes leaked; nothing where it has no summary. What a process that was
# killed said before counts without one.
found() { # NAME TOOL
  local n said=0
  case $2 in
  racecheck) n=$(summaries "$1" RACECHECK hazard) ;;
  leaks) n=$(summaries "$1" LEAK bytes) ;;
  *) n=$(summaries "$1" ERROR error) ;;
  esac
  if [ "$2" = memcheck ]; then said=$(grep -c '^========= Invalid ' "$work/$1.san" 2>/dev/null); fi
  if [ "${said:-0}" -gt "${n:-0}" ]; then echo "$said"; else echo "$n"; fi
}

# A few cases of each op, spread over its dtypes, layouts and shapes, none too large, as files of mt-conformance, ops shared
# out: $work/TOOL.0.json, ….
choose_cases() { # TOOL A-CASE-OF-EACH-OP PARTS GLOB…
  local tool=$1 each=$2 parts=$3 globs=()
  shift 3
  for glob; do globs+=(--op "$glob"); done
  timeout 20 "$prefix/bin/mt-conformance" --list "${globs[@]}" 2>/dev/null | awk -F/ -v each="$each" -v parts="$parts" -v base="$work/$tool." '
    NF < 7 { next }
    { n = 1; k = split($5, extent, "x"); for (i = 1; i <= k; i++) if (extent[i] ~ /^[0-9]+$/) n *= extent[i] }
    n > 20000 { next }
    !($1 in count) { op[++ops] = $1 }
    { id[$1, ++count[$1]] = $0 }
    END {
      for (o = 1; o <= ops; o++) {
        file = base (o % parts) ".json"
        want = count[op[o]] < each ? count[op[o]] : each
        for (i = 0; i < want; i++)
          text[file] = text[file] (text[file] == "" ? "" : ",\n") "\"" id[op[o], 1 + int(i * count[op[o]] / want)] "\""
      }
      for (file in text) print "{\"cases\": [\n" text[file] "\n]}" > file
    }'
}

start_tool() { # TOOL DEVICE CASES-OF-EACH-OP PARTS GLOB…
  local tool=$1 target=$2 each=$3 parts=$4 part name
  shift 4
  if [ -n "$in_children" ]; then
    choose_cases "$tool" "$each" "$parts" "$@"
    for ((part = 0; part < parts; part++)); do
      if [ ! -f "$work/$tool.$part.json" ]; then continue; fi
      room_for "$cores"
      sanitize "$tool.$part" "$(choose 150 60)" "${tool%%-*}" "$prefix/bin/mt-conformance" "$target" --cases "$work/$tool.$part.json" --timeout 120
    done
  else # what it sees of children is nothing: the unit tests have none
    for name in test_map test_zip test_reduce test_matmul test_conv_grad test_pool test_softmax test_norm test_sort test_scan \
      test_index test_embedding test_random test_loss test_copy test_out test_lowp; do
      room_for "$cores"
      sanitize "$tool.$name" "$(choose 150 60)" "${tool%%-*}" env MT_TEST_BACKENDS="$target" OMP_NUM_THREADS=1 "$prefix/libexec/$name"
    done
  fi
}

parts_of() { find "$work" -name "$1.*.status" | sed 's|.*/||; s/\.status$//' | sort; }

judge_tool() { # TOOL CHECK PLANTED
  local name n errors=0 cases=0 wanted=0 silent=0 late=0 wrong=0 parts=0 numbers
  if [ -z "$sanitizer" ] || [ ! -s "$work/sanitizer.help" ]; then
    verdict "$2" "not run" "no compute-sanitizer here"
    return
  fi
  for name in $(parts_of "$1"); do
    parts=$((parts + 1))
    n=$(found "$name" "${1%%-*}")
    if [ -n "$(unfinished "$name")" ]; then late=$((late + 1)); elif [ -z "$n" ]; then silent=$((silent + 1)); fi
    errors=$((errors + ${n:-0}))
    n=$(total "$work/$name.out" "cases executed")
    cases=$((cases + ${n:-$(grep -c '^ok ' "$work/$name.out")}))
    n=$(total "$work/$name.out" "failed")
    wrong=$((wrong + ${n:-0}))
    n=$(grep -c '^"' "$work/$name.json" 2>/dev/null)
    wanted=$((wanted + ${n:-0}))
  done
  numbers="$errors reports in $cases $([ -n "$in_children" ] && echo "of $wanted cases" || echo "unit tests"), $parts processes"
  if [ "$wrong" -gt 0 ]; then numbers="$numbers; $wrong cases had wrong results under it"; fi
  if [ "$errors" -gt 0 ]; then
    verdict "$2" FAIL "$numbers"
  elif [ -z "$(planted "$3")" ]; then
    verdict "$2" "not run" "compute-sanitizer does not find the fault planted for it: its silence says nothing ($numbers)"
  elif [ $((late + silent)) -gt 0 ] || [ "$cases" = 0 ]; then
    verdict "$2" "not run" "$numbers; $late stopped for want of time, $silent without a summary"
  else
    verdict "$2" pass "$numbers"
  fi
}

# Something where the fault planted for a tool was found.
planted() { # outside|race|leak
  local tool
  case $1 in
  outside) tool=memcheck ;;
  race) tool=racecheck ;;
  leak) tool=leaks ;;
  esac
  if [ "$(found "planted_$1" $tool)" -gt 0 ] 2>/dev/null; then echo found; fi
}

told() { if [ -n "$(planted "$1")" ]; then echo found; else echo "NOT found"; fi; }

sanitizer_leaks() {
  local n
  if [ -z "$(planted leak)" ]; then return; fi
  n=$(found leaks.0 leaks)
  echo "${n:-0} bytes leaked in a short run"
}

check_sanitizer() {
  local word
  sanitizer=$(find_sanitizer)
  in_children=yes
  : >"$work/sanitizer.help"
  if [ -n "$sanitizer" ]; then timeout 20 "$sanitizer" --help >"$work/sanitizer.help" 2>&1; fi
  if [ ! -s "$work/sanitizer.help" ]; then
    echo "There is no compute-sanitizer here." | section 60 "compute-sanitizer"
    return
  fi
  say "compute-sanitizer"
  sanitize planted_outside 45 memcheck "$prefix/libexec/planted" outside
  sanitize planted_race 45 racecheck "$prefix/libexec/planted" race
  sanitize planted_leak 45 leaks "$prefix/libexec/planted" leak
  wait
  if [ -z "$(planted outside)" ]; then in_children=""; fi
  local parts=$(((cores + 1) / 2))
  start_tool memcheck "$own" "$(choose 10 3)" "$parts" '*'
  start_tool racecheck "$own" "$(choose 6 2)" "$parts" '*'
  if [ "$own" != "$device" ] && [ -n "$in_children" ]; then
    start_tool memcheck-library "$device" "$(choose 8 3)" 2 'matmul*' 'conv*'
  fi
  choose_cases leaks 2 1 'copy*' 'reduce.sum' 'matmul*' 'conv*' 'sort*' 'softmax*'
  room_for "$cores"
  sanitize leaks.0 60 leaks "$prefix/bin/mt-conformance" "$own" --cases "$work/leaks.0.json" --timeout 120
  if [ -z "$quick" ] && [ -n "$in_children" ]; then start_tool synccheck "$own" 2 4 '*'; fi
  wait
  {
    sed -n 's/^Version/&/p' "$work/sanitizer.help" | head -n 1
    echo
    echo "A few cases of each op, on $own. Planted in a child process: a write outside of memory ($(told outside)), a race ($(told race)), a leak ($(told leak))."
    grep -h -A14 -E '^=========     |^========= (Invalid|Error|Race|Warning|Leaked|Barrier)' "$work"/memcheck*.san "$work"/racecheck*.san "$work"/synccheck*.san "$work"/leaks.0.san 2>/dev/null |
      head -n 120 >"$work/reports"
    if [ -s "$work/reports" ]; then
      echo
      block 120 <"$work/reports"
    fi
  } | section 60 "compute-sanitizer"
}

judge_sanitizer() {
  judge_tool memcheck memcheck outside
  judge_tool racecheck racecheck race
  if compgen -G "$work/memcheck-library.*.status" >/dev/null; then judge_tool memcheck-library "memcheck around the libraries" outside; fi
  if compgen -G "$work/synccheck.*.status" >/dev/null; then judge_tool synccheck "synccheck" outside; fi
}
