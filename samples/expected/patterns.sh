#!/bin/sh
# SPDX-License-Identifier: MIT
# patterns.sh DIR [WRAPPER...]: the catalogue in its order, in virtual time; and
# what the compiler says of a future that is ignored.
set -u
dir=$1/patterns
shift
PATTERNS_VIRTUAL=1
export PATTERNS_VIRTUAL
unset VOW_DEBUG

for source in samples/patterns/*.c; do
  name=$(basename "$source" .c)
  echo "-- $name"
  "$@" "$dir/$name"
  status=$?
  [ "$status" -eq 0 ] || echo "exit status $status"
done

echo "-- 14_pitfall_never_awaited, with PATTERN_MISTAKE"
# shellcheck disable=SC2046 # a list of words
${CC:-cc} -std=c11 -D_POSIX_C_SOURCE=200809L -DPATTERN_MISTAKE -Iinclude \
  $(pkg-config --cflags libuv) -c -o /dev/null \
  samples/patterns/14_pitfall_never_awaited.c 2>&1 |
  grep -o 'Wunused-result' | sort -u
