#!/bin/bash
# A real Kubernetes with three nodes and an outside client on this one Linux machine, without a registry or a VM.
# README.md beside this file says what it is made of; the parameters are in lib/settings.sh.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for part in binaries settings machine cgroups certificates fabric control-plane images disk node deploy; do
  source "$here/lib/$part.sh"
done

usage() {
  cat <<'EOF'
cluster.sh check                  whether this machine has what `up` needs; says what to install
cluster.sh up                     the whole: start, then deploy
cluster.sh start                  three nodes without PlenusLB (after clearing what a killed run left)
cluster.sh down                   end everything that `up` started, and nothing else
cluster.sh env                    names, paths and addresses as KEY=VALUE lines
cluster.sh kubectl|helm ARGS…     with the lab's credentials
cluster.sh run CMD…               within the lab's host namespace, KUBECONFIG and PATH set: test runners
cluster.sh exec-client CMD…       as a machine outside of the cluster, on the same LAN
cluster.sh exec-node NODE CMD…    in the network namespace of a node, dead or alive
cluster.sh enter-node NODE CMD…   in all namespaces of a running node, with its files and processes
cluster.sh deploy [HELM-ARGS…]    build this checkout's images, load them, install or upgrade the chart
cluster.sh install [HELM-ARGS…]   install or upgrade this checkout's chart with the images that were deployed
cluster.sh load TAR|IMAGE…        image archives, or images of buildah's, into all nodes
cluster.sh node-power-off NODE    pull the plug: link down, every process gone at once
cluster.sh node-kill NODE         every process gone at once, but the kernel goes on answering for its addresses
cluster.sh node-power-on NODE     boot again: no address, nft table or connection survives, the disk does
cluster.sh node-cut-api NODE      the API server out of reach for the node and its pods; node-heal-api NODE undoes it
cluster.sh node-cut-lan NODE WAY  frames lost at the node's port: in, out, both or client; node-heal-lan NODE undoes it
cluster.sh second-api DO          another API server: up, cut (a black hole), heal, down
EOF
}

# Kills whatever is left, a running `start` included, and removes it; right after `kill -9` of anything too.
clear_lab() {
  kill_cgroup
  fabric_down
  remove_cgroup
}

# Two processes, since what is started is ended by the cgroup that it was started in, and images are built outside of it:
# what a killed `up` leaves of a build ends by itself, without the lab that it was for.
up() {
  SECONDS=0
  require_machine
  "$LAB_DIR/base-image.sh" >/dev/null
  "$here/cluster.sh" start
  "$here/cluster.sh" deploy >"$LAB_STATE/log/deploy.log" || fail "PlenusLB could not be installed: $LAB_STATE/log/deploy.log"
  kubectl -n plenuslb get pods -o wide
  echo "up in $SECONDS s; next: $0 kubectl apply -f examples/bare-metal.yaml"
}

# `start` itself is in the cgroup, so that `down` and the next `start` end it together with all that it has started.
start() {
  local missing node
  require_machine
  clear_lab
  enter_cgroup start
  missing=$(missing_binaries "${ETCD_AND_KUBERNETES[@]}" helm)
  [ -z "$missing" ] || "$LAB_DIR/build.sh" >/dev/null
  prepare_machine
  rm -rf "$LAB_STATE"
  mkdir -p "$LAB_STATE/log"
  write_settings
  pause_image
  echo_image
  new_disk
  control_plane_certificates
  fabric_up
  control_plane_up
  for node in $(node_names); do
    node_files "$node"
    install_disk "$LAB_STATE/$node/containerd"
    node_start "$node"
  done
  await 60 "A node's registration" all_registered
  kubectl wait --for=condition=Ready node --all --timeout=60s >/dev/null || fail "Not every node became Ready; logs in $LAB_STATE/node*/log."
  await 60 "The default ServiceAccount" kubectl -n default get serviceaccount default -o name >/dev/null
  kubectl get nodes -o wide
}
check() {
  require_machine
  [ -z "$(missing_binaries "${ETCD_AND_KUBERNETES[@]}" helm)" ] || find_go
}
all_registered() { [ "$(kubectl get nodes -o name | wc -l)" = "$LAB_NODES" ]; }

# The logs stay for reading; the disks of the nodes do not.
down() {
  [ "$(id -u)" = 0 ] || fail "The lab runs as root, and so must its end."
  clear_lab
  restore_machine
  rm -rf "$LAB_STATE"/etcd "$LAB_STATE"/node*/{run,containerd,kubelet,cni} "$LAB_STATE"/{disk,load.tar}
}

print_env() {
  local node
  cat <<EOF
LAB_NAME=$LAB_NAME
LAB_STATE=$LAB_STATE
LAB_BIN=$LAB_BIN
LAB_NODES=$LAB_NODES
LAB_SUBNET=$LAB_SUBNET
LAB_SUBNET6=$LAN6:/64
LAB_PROXY_MODE=$LAB_PROXY_MODE
LAB_PROXY_MIN_SYNC=$LAB_PROXY_MIN_SYNC
LAB_NODE_GRACE=$LAB_NODE_GRACE
LAB_API=$LAB_API
LAB_AUDIT_LOG=$LAB_STATE/audit.log
LAB_HOST_NETNS=$LAB_HOST
LAB_CLIENT_NETNS=$LAB_CLIENT
KUBECONFIG=$KUBECONFIG_ADMIN
EOF
  for node in $(node_names); do echo "LAB_NETNS_${node^^}=$(netns_of "$node")"; done
}

running() { [ -e "$LAB_HOST" ] || fail "The lab $LAB_NAME is not up: $0 up"; }

run() {
  running
  export KUBECONFIG=$KUBECONFIG_ADMIN PATH=$LAB_BIN:$PATH LAB_NAME LAB_STATE LAB_BIN
  exec nsenter --net="$LAB_HOST" "$@"
}

on_node() { # FUNCTION NODE
  running
  node_number "${2:-}" >/dev/null
  "$@"
}
exec_node() { exec nsenter --net="$(netns_of "$1")" "${@:2}"; }
enter_node() {
  local pid
  pid=$(node_pid1 "$1")
  exec nsenter --target "$pid" --all env PATH="$LAB_BIN:$PATH" "${@:2}"
}

main() {
  local command=${1:-}
  [ $# = 0 ] || shift
  read_settings "$command"
  case $command in
    check | up | start | down) "$command" ;;
    env) print_env ;;
    kubectl | helm) run "$LAB_BIN/$command" "$@" ;;
    run) run "$@" ;;
    exec-client) running; exec nsenter --net="$LAB_CLIENT" "$@" ;;
    exec-node | enter-node | node-power-off | node-power-on | node-kill | node-cut-api | node-heal-api | node-cut-lan | node-heal-lan) on_node "${command//-/_}" "$@" ;;
    second-api) running; second_api "$@" ;;
    load) running; load_images "$@" ;;
    deploy) running; deploy "$@" ;;
    install) running; install_product "$@" ;;
    *) usage >&2; exit 2 ;;
  esac
}

main "$@"
