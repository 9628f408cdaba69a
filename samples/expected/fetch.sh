#!/bin/sh
# SPDX-License-Identifier: MIT
# fetch.sh DIR [WRAPPER...]: fetch against the test server: each path, wrong
# arguments, limits in time, Ctrl-C. Prints the tables without what differs
# from run to run: the port, times, line numbers.
set -u
dir=$1
shift
wrapper=$*
log=$dir/fetch.server
out=$dir/fetch.output

: >"$log"
# shellcheck disable=SC2086 # a list of words, here and below
$wrapper "$dir/server" 0 >"$log" &
server=$!
trap 'kill "$server"' EXIT
while [ ! -s "$log" ]; do
  kill -0 "$server" 2>/dev/null || exit 1
  sleep 0.05
done
port=$(head -n 1 "$log")
url=http://127.0.0.1:$port

# Path, result, tries, bytes, error; and the total.
show() {
  awk -v url="$url" '
    /^[0-9]+ URLs?: / { sub(/ in [0-9]+ ms$/, ""); print; next }
    !/^http/ { print; next }
    {
      path = index($1, url) == 1 ? substr($1, length(url) + 1) : $1
      error = ""
      for (i = 6; i <= NF; i++) error = error " " $i
      sub(/:[0-9]+\]$/, "]", error)
      print path, $2, $3, $4 error
    }' "$out" | grep -v '^URL ' | sed "s|:$port|:PORT|g"
}

run() {
  echo "-- $*" | sed "s|$url||g; s|:$port|:PORT|g"
  # shellcheck disable=SC2086
  $wrapper "$dir/fetch" "$@" >"$out" 2>&1
  status=$?
  show
  echo "exit status $status"
}

# Waits until the server has seen n requests for a path.
wait_for() {
  until [ "$(grep -cx "$1" "$log")" -ge "$2" ]; do
    kill -0 "$server" 2>/dev/null || exit 1
    sleep 0.05
  done
}

# Everything well: different lengths and codings, and a second try.
run "$url/ok" "$url/big?n=3000000" "$url/delay?ms=50" "$url/slow?n=5" \
  "$url/chunked" "$url/flaky?id=1" "http://localhost:$port/ok#part"

# Answers that are not what was hoped for.
run "$url/404" "$url?query"
run --retries 0 "$url/flaky?id=2" "$url/reset?ms=1000" "$url/cut" "$url/garbage"

# No connection: tried three times.
run --retries 2 http://127.0.0.1:1/
run --retries 1 --concurrency 1 "$url/flaky?id=3" "$url/flaky?id=4"

# URLs that are none; from a list.
printf '# a comment\n\n  %s/ok  \r\nhttp://localhost:0/\nhttps://localhost/\n' \
  "$url" >"$dir/fetch.list"
run -f "$dir/fetch.list" 'http://[::1/' | sed "s|$dir/||"

# Limits in time, of each request and of all. The first is hung up on while the
# server sends, which the server must survive.
run --timeout 50 "$url/big?n=1073741824"
run --timeout 300 "$url/hang" "$url/delay?ms=600000"
run --deadline 1000 --concurrency 1 "$url/ok" "$url/hang" "$url/ok"

# Ctrl-C while two requests hang and two have not begun.
echo "-- Ctrl-C"
: >"$out"
# shellcheck disable=SC2086
$wrapper "$dir/fetch" --concurrency 2 "$url/ok" "$url/hang" "$url/hang?second" \
  "$url/ok" "$url/slow" >"$out" 2>&1 &
fetch=$!
wait_for "/hang?second" 1
kill -s INT "$fetch"
wait "$fetch"
status=$?
show
echo "exit status $status"

# Wrong usage.
run
run --concurrency 0 "$url/ok"
run --timeout
run --colour yes "$url/ok"
run -f "$dir/no-such-file" | sed "s|$dir/||"

rm -f "$dir/fetch.list" "$out"
trap - EXIT
kill "$server"
wait "$server"
echo "-- server: exit status $?"
