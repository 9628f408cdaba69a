#!/bin/sh
# SPDX-License-Identifier: MIT
# migrate.sh DIR [WRAPPER...]: the same test beside each of the four steps,
# which must not differ in a single line.
set -u
dir=$1/migrate
shift
work=$dir/files
patience=1000
[ $# -eq 0 ] || patience=4000

rm -rf "$work"
mkdir -p "$work/root/folder" || exit 1
trap 'rm -rf "$work"' EXIT
mkfifo "$work/root/fifo"
echo "not for you" >"$work/secret.txt"
echo "hello, world" >"$work/root/hello.txt"
: >"$work/root/empty.txt"
seq 40000 >"$work/root/medium.txt"
seq 1300000 >"$work/root/big.txt"

for step in step1 step2 step3 step4; do
  "$@" "$dir/client" "$work/root" "$patience" "$@" "$dir/$step" >"$work/$step"
  status=$?
  if [ $step = step1 ]; then
    cat "$work/step1"
  else
    diff "$work/step1" "$work/$step" && echo "$step: the same"
  fi
  [ $status -eq 0 ] || echo "$step: exit status $status"
done
