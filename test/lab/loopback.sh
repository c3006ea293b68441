#!/bin/bash
# A real API server on loopback for the conformance tier: etcd and kube-apiserver, no kubelet, no root, ready in 3 s.
#
#   test/lab/loopback.sh up --foreground    prints one line of JSON when ready; ends when its standard input closes
#   test/lab/loopback.sh up                 the same in the background, until `down`
#   test/lab/loopback.sh env | down [DIR]   of the last `up`, or of the one whose JSON said "state": DIR
#
# Parameters: LOOPBACK_PORT (default: a free one), LOOPBACK_CONTROLLERS (for example
# "namespace-controller,garbage-collector-controller,serviceaccount-controller": starts kube-controller-manager with
# only these; without it nothing finishes a namespace's deletion or collects the children of a deleted owner).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/binaries.sh"
source "$LAB_DIR/lib/certificates.sh"

STATES=${TMPDIR:-/tmp}/plenuslb-loopback-$(id -u)

fail() { echo "$*" >&2; exit 1; }

require() {
  local wanted=(etcd kube-apiserver) missing
  [ -z "${LOOPBACK_CONTROLLERS:-}" ] || wanted+=(kube-controller-manager)
  missing=$(missing_binaries "${wanted[@]}")
  [ -z "$missing" ] || fail "The API server is not built; run: test/lab/build.sh ${wanted[*]}"
  command -v openssl curl setpriv >/dev/null || fail "The loopback API server needs: apt-get install -y openssl curl util-linux"
}

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Below 32768, where the kernel takes its own from.
free_port() {
  local port
  while port=$((20000 + RANDOM % 12000)); do port_is_free "$port" && break; done
  echo "$port"
}

# What runs that were killed left in the folder of states: those whose owner is gone.
sweep() {
  local state
  for state in "$STATES"/*/; do
    [ -f "$state/pid" ] && ! kill -0 "$(cat "$state/pid")" 2>/dev/null && rm -rf "$state"
  done
  return 0
}

new_identities() { # PORT
  new_authority pki
  new_certificate pki server /CN=kube-apiserver "IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc,IP:10.96.0.1"
  new_certificate pki admin /O=system:masters/CN=admin
  new_certificate pki controllers /CN=system:kube-controller-manager
  new_kubeconfig pki admin "https://127.0.0.1:$1"
  new_kubeconfig pki controllers "https://127.0.0.1:$1"
  # token, user, uid, groups. RBAC holds for all but admin: the others are who the product's processes are in a cluster.
  cat >tokens.csv <<EOF
lab-admin,admin,admin,system:masters
lab-controller,system:serviceaccount:plenuslb:plenuslb,controller,"system:serviceaccounts,system:serviceaccounts:plenuslb"
lab-operator,system:serviceaccount:plenuslb:plenuslb-operator,operator,"system:serviceaccounts,system:serviceaccounts:plenuslb"
lab-nobody,nobody,nobody,
EOF
}

# pdeathsig: if this script is killed, the kernel ends its children, so a crashed test runner leaves no server behind.
child() { # LOG COMMAND…
  local log=$1
  shift
  setpriv --pdeathsig KILL "$@" >"$log" 2>&1 </dev/null &
  children+=($!)
}

start() { # PORT, in the state folder
  local bin
  bin=$(bin_dir)
  # Sockets in the state folder (files etcd:1 and peer:1) instead of two more ports; etcd wants them to look like host:port.
  # The short election timeout saves 0.9 s of the one member's election with itself.
  child etcd.log "$bin/etcd" --data-dir data --unsafe-no-fsync --heartbeat-interval=10 --election-timeout=100 --listen-client-urls unix://etcd:1 \
    --advertise-client-urls unix://etcd:1 --listen-peer-urls unix://peer:1
  # An advertise address that nothing has: validation refuses 127.0.0.1, and without a reconciler nobody uses it.
  child apiserver.log "$bin/kube-apiserver" --bind-address=127.0.0.1 --secure-port="$1" --advertise-address=192.0.2.1 \
    --endpoint-reconciler-type=none --etcd-servers=unix://etcd:1 \
    --service-cluster-ip-range=10.96.0.0/16,fd00:10:96::/112 --client-ca-file=pki/ca.crt \
    --tls-cert-file=pki/server.crt --tls-private-key-file=pki/server.key --token-auth-file=tokens.csv \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file=pki/sa.pub \
    --service-account-signing-key-file=pki/sa.key --authorization-mode=Node,RBAC \
    --enable-admission-plugins=NodeRestriction --allow-privileged=true --profiling=false
  [ -z "${LOOPBACK_CONTROLLERS:-}" ] || child controllers.log "$bin/kube-controller-manager" \
    --kubeconfig=pki/controllers.conf --authentication-kubeconfig=pki/controllers.conf \
    --authorization-kubeconfig=pki/controllers.conf --controllers="$LOOPBACK_CONTROLLERS" --leader-elect=false \
    --use-service-account-credentials --service-account-private-key-file=pki/sa.key --root-ca-file=pki/ca.crt \
    --bind-address=127.0.0.1 --secure-port=0
}

await_ready() { # PORT
  local deadline=$((SECONDS + 60)) pid
  until curl -sf --cacert pki/ca.crt -H "Authorization: Bearer lab-admin" "https://127.0.0.1:$1/readyz" >/dev/null; do
    for pid in "${children[@]}"; do
      kill -0 "$pid" 2>/dev/null || fail "The API server did not start: $(grep -h -E '^(Error|E[0-9]|F[0-9])|"level":"(error|fatal)"|failed' ./*.log | tail -3)"
    done
    [ $SECONDS -lt $deadline ] || fail "The API server was not ready after 60 s; its logs are in $PWD."
    sleep 0.05
  done
}

describe() { # PORT
  printf '{"state":"%s","server":"https://127.0.0.1:%s","ca":"%s","kubeconfig":"%s","kubectl":"%s","tokens":{%s}}\n' \
    "$PWD" "$1" "$PWD/pki/ca.crt" "$PWD/pki/admin.conf" "$(bin_dir)/kubectl" \
    '"admin":"lab-admin","controller":"lab-controller","operator":"lab-operator","nobody":"lab-nobody"'
}

# The API server first: stopped together with its etcd it would wait minutes for it.
stop() {
  trap - EXIT TERM INT HUP
  kill -KILL "${children[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  cd / && rm -rf "$1"
}

foreground() {
  local port state
  umask 077
  mkdir -p "$STATES" && sweep
  state=$(mktemp -d "$STATES/XXXXXX")
  ln -sfn "$state" "$STATES/last"
  cd "$state"
  children=()
  trap "stop '$state'" EXIT
  trap "exit 143" TERM INT HUP
  echo $BASHPID >pid
  port=${LOOPBACK_PORT:-$(free_port)}
  new_identities "$port"
  start "$port"
  await_ready "$port"
  describe "$port" >.ready && mv .ready ready.json
  cat ready.json
}

# Ends with its standard input, hence with the test runner that holds the other end.
up_foreground() {
  foreground
  exec 3<&0
  cat <&3 >/dev/null & # in the background, since bash runs no trap while it waits for a command in the foreground
  wait $!
}

up_background() {
  local log
  mkdir -p "$STATES"
  log=$(mktemp "$STATES/up-XXXXXX.log")
  setsid "$0" up --until-killed >"$log" 2>&1 </dev/null &
  until grep -q '^{' "$log"; do
    kill -0 $! 2>/dev/null || { cat "$log" >&2; rm "$log"; exit 1; }
    sleep 0.05
  done
  cat "$log"
  rm "$log"
}

# `wait` and not `sleep`: a signal interrupts it at once.
up_until_killed() {
  foreground
  wait
}

down() {
  local state=${1:-$STATES/last} pid
  pid=$(cat "$state/pid" 2>/dev/null) || return 0
  kill -TERM "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
}

case "${1:-} ${2:-}" in
  "up --foreground") require && up_foreground ;;
  "up --until-killed") up_until_killed ;;
  "up ") require && up_background ;;
  "env "*) cat "${2:-$STATES/last}/ready.json" ;;
  "down "*) down "${2:-}" ;;
  *) fail "usage: loopback.sh up [--foreground] | env [DIR] | down [DIR]" ;;
esac
