# chromium.sh: pages in headless Chromium, for tests that have sourced tap.sh:
#   . "$srcdir/tests/support/chromium.sh"
#   chromium_find || skip_all "no Chromium that starts"
#   chromium_check "the page" page.html script.js
# script.js runs in the page, after the page's own scripts, and says what holds with the functions of chromium.js.
# shellcheck shell=sh disable=SC2154

# Which program it is: $MT_TEST_CHROMIUM, or the first one there is that starts.  Fails where there is none.
chromium_find() {
  for chromium in ${MT_TEST_CHROMIUM+"$MT_TEST_CHROMIUM"} chromium chromium-browser google-chrome \
    google-chrome-stable; do
    if command -v "$chromium" >/dev/null && chromium_run --dump-dom 'data:text/html,<p>it%20starts</p>' &&
      grep -q 'it starts' "$tap_tmp/chromium/out"; then
      return 0
    fi
  done
  return 1
}

# chromium_run ARGUMENT…: output and log go to $tap_tmp/chromium; so do its folders.  There is no network.
chromium_run() {
  mkdir -p "$tap_tmp/chromium/home"
  HOME=$tap_tmp/chromium/home XDG_CONFIG_HOME=$tap_tmp/chromium/home XDG_CACHE_HOME=$tap_tmp/chromium/home \
    timeout 120 "$chromium" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
    --disable-extensions --disable-background-networking --disable-component-update --proxy-server=127.0.0.1:9 \
    --user-data-dir="$tap_tmp/chromium/profile" --enable-logging=stderr --v=0 "$@" \
    >"$tap_tmp/chromium/out" 2>"$tap_tmp/chromium/log" </dev/null
}

# chromium_open FILE: opens it, and keeps its document as it is after five seconds of the page's time in $chromium_dom;
# what the page logged is in $chromium_console, one message a line: "" where all is well.
chromium_open() {
  chromium_dom=$tap_tmp/chromium/out
  chromium_page=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
  chromium_run --virtual-time-budget=5000 --window-size=1200,900 --dump-dom "file://$chromium_page" || return 1
  chromium_console=$(sed -n 's/^\[[^]]*:CONSOLE[^]]*\] *//p' "$tap_tmp/chromium/log")
  [ -s "$chromium_dom" ]
}

# chromium_count TEXT: how often it stands in the document.
chromium_count() {
  grep -oF -e "$1" "$chromium_dom" | wc -l | tr -d ' '
}

# chromium_with_script PAGE SCRIPT TO: a copy of the page that also runs the script, after its own.
chromium_with_script() {
  awk -v script="$2" '/<\/body>/ {
    print "<script>"
    while ((getline line <script) > 0) print line
    print "</script>"
  }
  { print }' "$1" >"$3"
}

# chromium_check NAME PAGE SCRIPT: each same() of the script is a test here; so is that it came to its end, and that the
# page logged nothing.
chromium_check() {
  {
    cat "$srcdir/tests/support/chromium.js"
    echo 'run(async function () {'
    cat "$3"
    echo '});'
  } >"$tap_tmp/with-script.js"
  chromium_with_script "$2" "$tap_tmp/with-script.js" "$tap_tmp/with-script.html"
  if ! chromium_open "$tap_tmp/with-script.html"; then
    not_ok "$1: opens" "$(tail -5 "$tap_tmp/chromium/log")"
    return
  fi
  check_equal "$1: nothing is logged" "$chromium_console" ""
  sed -n '/<pre id="mt-results">/,/<\/pre>/p' "$chromium_dom" |
    sed -e 's/.*<pre id="mt-results">//' -e 's/<\/pre>.*//' \
      -e 's/&lt;/</g' -e 's/&gt;/>/g' -e 's/&amp;/\&/g' >"$tap_tmp/results"
  while IFS='	' read -r chromium_state chromium_name chromium_text; do
    case $chromium_state in
    ok) ok "$1: $chromium_name" ;;
    no) not_ok "$1: $chromium_name" "$chromium_text" ;;
    esac
  done <"$tap_tmp/results"
  check "$1: the script came to its end" grep -q '^end$' "$tap_tmp/results"
}
