#!/bin/sh
# SPDX-License-Identifier: MIT
# server.sh DIR [WRAPPER...]: the test server begins, refuses what is no port,
# and ends on either signal with everything closed.
set -u
dir=$1
shift
out=$dir/server.port

"$@" "$dir/server" nonsense 2>&1
echo "without a port: exit status $?"

for signal in TERM INT; do
  : >"$out"
  "$@" "$dir/server" 0 >"$out" &
  server=$!
  while [ ! -s "$out" ]; do
    kill -0 "$server" 2>/dev/null || exit 1
    sleep 0.05
  done
  kill -s "$signal" "$server"
  wait "$server"
  echo "after SIG$signal: exit status $?"
done
rm -f "$out"
