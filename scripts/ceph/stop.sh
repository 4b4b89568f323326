#!/usr/bin/env bash
# Ends what scripts/ceph/start.sh started, by the process ids it wrote, and removes its data (--keep leaves them).
set -uo pipefail
CEPH_DIR=${CEPH_DIR:-${TMPDIR:-/tmp}/filecloudsync-ceph}
for name in rgw osd mon; do
  file=$CEPH_DIR/pid/$name.own
  [ -f "$file" ] || continue
  pid=$(cat "$file")
  # The number may belong to somebody else by now.
  if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qE '(ceph-mon|ceph-osd|radosgw) '; then
    kill "$pid" 2>/dev/null
    for _ in $(seq 100); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null
  fi
  rm -f "$file"
done
if [ "${1:-}" != --keep ]; then rm -rf "$CEPH_DIR"; fi
exit 0
