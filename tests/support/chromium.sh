# chromium.sh: pages in headless Chromium, for tests that have sourced tap.sh:
#   . "$srcdir/tests/support/chromium.sh"
#   chromium_find || skip_all "no Chromium"
#   chromium_open page.html && check_equal "charts" "$(chromium_count 'class="mt-line"')" 3
# shellcheck shell=sh

# Which program it is: $MT_TEST_CHROMIUM, or the first one there is that starts.  Fails where there is none.
chromium_find() {
  for chromium in ${MT_TEST_CHROMIUM+"$MT_TEST_CHROMIUM"} chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$chromium" >/dev/null && chromium_run --dump-dom 'data:text/html,<p>it%20starts</p>' &&
      grep -q 'it starts' "$tap_tmp/chromium/out"; then
      return 0
    fi
  done
  return 1
}

# chromium_run ARGUMENT…: its output in $tap_tmp/chromium/out, its log in $tap_tmp/chromium/log.  Folders of its own, no network.
chromium_run() {
  mkdir -p "$tap_tmp/chromium/home"
  HOME=$tap_tmp/chromium/home XDG_CONFIG_HOME=$tap_tmp/chromium/home XDG_CACHE_HOME=$tap_tmp/chromium/home \
    timeout 120 "$chromium" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
    --disable-extensions --disable-background-networking --disable-component-update --proxy-server=127.0.0.1:9 \
    --user-data-dir="$tap_tmp/chromium/profile" --enable-logging=stderr --v=0 "$@" \
    >"$tap_tmp/chromium/out" 2>"$tap_tmp/chromium/log" </dev/null
}

# chromium_open FILE [FRAGMENT]: opens it, #FRAGMENT too, and keeps its document as it is some seconds later in $chromium_dom;
# what the page logged is in $chromium_console, one message a line: "" where all is well.
chromium_open() {
  chromium_dom=$tap_tmp/chromium/out
  chromium_page=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
  chromium_run --virtual-time-budget=5000 --window-size=1200,900 --dump-dom "file://$chromium_page${2:+#$2}" || return 1
  chromium_console=$(sed -n 's/^\[[^]]*:CONSOLE[^]]*\] *//p' "$tap_tmp/chromium/log")
  [ -s "$chromium_dom" ]
}

# chromium_count TEXT: how often it stands in the document.
chromium_count() {
  grep -oF -e "$1" "$chromium_dom" | wc -l | tr -d ' '
}

# chromium_with_script FILE SCRIPT TO: a copy of the page that also runs the script, after the page's own.
chromium_with_script() {
  awk -v script="$2" '/<\/body>/ && !done {
    print "<script>"
    while ((getline line <script) > 0) print line
    print "</script>"
    done = 1
  }
  { print }' "$1" >"$3"
}
