#!/usr/bin/env bash
# Starts a real S3 server for tests: Ceph on this machine alone, without systemd: one monitor, one OSD, one gateway,
# all on 127.0.0.1. Debian's packages are installed when they are missing (root, or sudo without a password).
# All that it writes lies under CEPH_DIR; `scripts/ceph/stop.sh` ends it and removes the data.
#
#   CEPH_DIR    where data, logs and process ids go   (default ${TMPDIR:-/tmp}/filecloudsync-ceph)
#   RGW_PORT    port of the S3 endpoint               (default: a free one)
#   MON_PORT    port of the monitor                   (default: a free one)
#   OSD_GIB     how much it can hold, a sparse file   (default 10)
#
# Writes $CEPH_DIR/env with FCS_TEST_ENDPOINT, FCS_TEST_ACCESS_KEY and FCS_TEST_SECRET_KEY, to be sourced.
set -euo pipefail

CEPH_DIR=${CEPH_DIR:-${TMPDIR:-/tmp}/filecloudsync-ceph}
OSD_GIB=${OSD_GIB:-10}
started_ns=$(date +%s%N)
say() { printf '%6d ms  %s\n' $((($(date +%s%N) - started_ns) / 1000000)) "$*"; }
fail() {
  echo "ceph: $*" >&2
  exit 1
}
trap 'echo "ceph: line $LINENO failed: $BASH_COMMAND" >&2; tail -n 3 "$CEPH_DIR"/log/*.out "$CEPH_DIR"/log/*.err >&2 2>/dev/null' ERR
free_port() {
  node -e 'const s = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}
# Runs a command again and again, for at most so many seconds, until it succeeds.
until_ok() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

[ ! -e "$CEPH_DIR/mon" ] || fail "$CEPH_DIR is in use: run scripts/ceph/stop.sh first"

packages=(radosgw ceph-mon ceph-osd ceph-common)
if ! command -v radosgw ceph-mon ceph-osd ceph >/dev/null; then
  command -v apt-get >/dev/null || fail "there is no apt-get here: install ${packages[*]} by hand"
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then as_root=(sudo -n); fi
  log=$(mktemp)
  {
    "${as_root[@]}" apt-get update -qq &&
      "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"
  } >"$log" 2>&1 </dev/null || { tail -20 "$log" >&2; fail "the packages could not be installed"; }
  rm -f "$log"
fi
say "packages: $(radosgw --version | cut -d' ' -f1-3)"

RGW_PORT=${RGW_PORT:-$(free_port)}
MON_PORT=${MON_PORT:-$(free_port)}
access_key=FCS$(node -p 'require("node:crypto").randomBytes(8).toString("hex").toUpperCase()')
secret_key=$(node -p 'require("node:crypto").randomBytes(20).toString("hex")')
fsid=$(node -p 'require("node:crypto").randomUUID()')
osd_id=$(node -p 'require("node:crypto").randomUUID()')

mkdir -p "$CEPH_DIR"/{mon,osd,rgw,log,pid}
chmod 700 "$CEPH_DIR"
export CEPH_CONF=$CEPH_DIR/ceph.conf
keyring=$CEPH_DIR/keyring

# The small intervals make a start quick; one copy of everything is enough, and nearly full is full enough for tests.
cat >"$CEPH_CONF" <<CONF
[global]
fsid = $fsid
mon host = [v2:127.0.0.1:$MON_PORT]
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
ms bind msgr1 = false
auth allow insecure global id reclaim = false
paxos propose interval = 0.05
paxos min wait = 0.02
keyring = $keyring
log to stderr = false
err to stderr = true
log file = $CEPH_DIR/log/\$name.log
pid file = $CEPH_DIR/pid/\$name.pid
admin socket = $CEPH_DIR/pid/\$name.asok
crash dir = $CEPH_DIR/log
run dir = $CEPH_DIR/pid
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
mon osd nearfull ratio = 0.98
mon osd backfillfull ratio = 0.985
mon osd full ratio = 0.99
osd failsafe full ratio = 0.995
mon data avail warn = 1
mon data avail crit = 1
osd memory target = 1073741824
osd memory target autotune = false
osd max object name len = 4096
[mon.a]
mon data = $CEPH_DIR/mon
host = localhost
[osd.0]
osd data = $CEPH_DIR/osd
osd objectstore = bluestore
bluestore block size = $((OSD_GIB << 30))
bluestore block create = true
bluestore fsck on mount = false
[client.rgw]
keyring = $keyring
rgw data = $CEPH_DIR/rgw
rgw frontends = beast endpoint=127.0.0.1:$RGW_PORT
rgw thread pool size = 64
debug rgw = 0
debug ms = 0
rgw enable usage log = false
rgw enable ops log = false
rgw s3 auth use keystone = false
rgw gc obj min wait = 60
rgw gc processor period = 60
CONF

add_key() { ceph-authtool "$keyring" "$@" >/dev/null; }
add_key --create-keyring --gen-key -n mon. --cap mon 'allow *'
add_key --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
add_key --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
add_key --gen-key -n client.rgw --cap mon 'allow rw' --cap osd 'allow rwx'
monmaptool --create --clobber --fsid "$fsid" --addv a "[v2:127.0.0.1:$MON_PORT]" "$CEPH_DIR/monmap" >/dev/null
ceph-mon --mkfs -i a --monmap "$CEPH_DIR/monmap" --keyring "$keyring" >"$CEPH_DIR/log/mon-mkfs.out" 2>&1

# A daemon runs in a session of its own, without a terminal; its process id is what stop.sh ends.
daemon() {
  local name=$1
  shift
  setsid nohup "$@" >"$CEPH_DIR/log/$name.out" 2>&1 </dev/null &
  echo $! >"$CEPH_DIR/pid/$name.own"
}
died() { fail "$1 did not come up: $(tail -5 "$CEPH_DIR/log/$1.out" "$CEPH_DIR"/log/*"${2:-$1}"*.log 2>/dev/null)"; }

daemon mon ceph-mon -i a -f
until_ok 60 timeout 5 ceph mon stat || died mon
say "monitor"

ceph osd new "$osd_id" 0 >/dev/null 2>&1
ceph-osd -i 0 --mkfs --osd-uuid "$osd_id" >"$CEPH_DIR/log/osd-mkfs.out" 2>&1
ceph osd crush add osd.0 1 root=default host=localhost >/dev/null 2>&1
daemon osd ceph-osd -i 0 -f
osd_is_up() { timeout 5 ceph osd stat | grep -q '1 up'; }
until_ok 60 osd_is_up || died osd
say "object store"

radosgw-admin -n client.rgw user create --uid=filecloudsync --display-name=filecloudsync --max-buckets=0 \
  --access-key="$access_key" --secret-key="$secret_key" >/dev/null 2>"$CEPH_DIR/log/user.err" || died user
daemon rgw radosgw -n client.rgw -f
answers() { node -e 'fetch(process.argv[1]).then((r) => process.exit(r.status < 500 ? 0 : 1), () => process.exit(1))' "$1"; }
until_ok 90 answers "http://127.0.0.1:$RGW_PORT/" || died rgw

(
  umask 077
  printf 'export FCS_TEST_ENDPOINT=%s FCS_TEST_ACCESS_KEY=%s FCS_TEST_SECRET_KEY=%s\n' \
    "http://127.0.0.1:$RGW_PORT" "$access_key" "$secret_key" >"$CEPH_DIR/env"
)
say "S3 at http://127.0.0.1:$RGW_PORT; the keys are in $CEPH_DIR/env"
