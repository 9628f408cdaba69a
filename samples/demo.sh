#!/bin/sh
# SPDX-License-Identifier: MIT
# demo.sh DIR: fetches 200 URLs of a local test server, and five that cannot
# be fetched, with the programs in DIR. Many are meant to fail: the demo
# succeeds when each failed as it should.
set -u

dir=$1
work=$(mktemp -d) || exit 1
server=
interrupted=

# shellcheck disable=SC2317 # reached through the trap
finish() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null
    wait "$server" 2>/dev/null
  fi
  rm -rf "$work"
}
trap finish EXIT
# Ctrl-C reaches fetch as well, which ends by itself and shows what it has.
trap 'interrupted=yes' INT
trap 'exit 143' TERM

"$dir/server" 0 >"$work/log" &
server=$!
while [ ! -s "$work/log" ]; do
  kill -0 "$server" 2>/dev/null || exit 1
  sleep 0.05
done
port=$(head -n 1 "$work/log")

awk -v url="http://127.0.0.1:$port" 'BEGIN {
  for (i = 0; i < 200; i++) {
    kind = i % 20
    path = "/ok?" i
    if (kind == 0) path = "/404?" i
    if (kind == 1) path = "/reset"
    if (kind == 2) path = "/chunked?" i
    if (kind == 3) path = "/slow?n=20"
    if (kind == 4) path = "/flaky?id=" i
    if (kind == 5 && i % 40 == 5) path = "/hang?" i
    if (kind == 6) path = "/cut?" i
    if (kind == 7) path = "/garbage?" i
    if (kind == 8 || kind == 9) path = "/big?n=" 10000 * (i + 1)
    if (kind >= 10 && kind < 14) path = "/delay?ms=" i + 50
    print url path
  }
  for (i = 1; i <= 3; i++) print "http://127.0.0.1:1/closed?" i
  print "http://localhost:port/"
  print "gopher://localhost/"
}' >"$work/urls"

echo "fetching 205 URLs, of which 50 are meant to fail (Ctrl-C ends it)"
"$dir/fetch" --concurrency 32 --timeout 1000 -f "$work/urls" >"$work/table"
status=$?
cat "$work/table"
[ -z "$interrupted" ] || exit 130

# count RESULT...: how many rows have one of them.
count() {
  awk -v wanted=" $* " 'index(wanted, " " $2 " ") { n++ } END { print n + 0 }' \
    "$work/table"
}

failed=0
expect() { # how many, what for, results
  wanted=$1
  what=$2
  shift 2
  got=$(count "$@")
  printf '%4d %s\n' "$got" "$what"
  [ "$got" -eq "$wanted" ] && return
  echo "     expected were $wanted" >&2
  failed=1
}

echo
expect 155 "answered" 200
expect 10 "not found" 404
expect 5 "too slow, and cancelled" ETIMEDOUT
# A reset that comes with the bytes before it looks like an end to libuv.
expect 20 "broken off within the body: reset or closed" ECONNRESET EOF
expect 10 "no HTTP" EPROTO
expect 3 "nobody listens there" ECONNREFUSED
expect 2 "bad URLs" EINVAL
if [ "$status" -ne 1 ]; then
  echo "fetch: exit status $status, expected was 1" >&2
  failed=1
fi
[ "$failed" -eq 0 ] && echo "everything as expected"
exit "$failed"
