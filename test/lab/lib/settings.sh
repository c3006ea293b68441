# Parameters, and everything that is derived from them. Sourced by cluster.sh.
#
#   LAB_NAME         pll              prefix of namespaces, cgroups and the state folder: copies run side by side
#   LAB_NODES        3                1 to 9
#   LAB_SUBNET       172.30.0.0/24    the LAN of API server (.1), nodes (.11 and on) and client (.100); all of it is inside
#                                     network namespaces, so copies may share it
#   LAB_PROXY_MODE   nftables         kube-proxy's: nftables, iptables, or mixed: iptables on the last node, nftables on the others
#   LAB_PROXY_MIN_SYNC (unset)        seconds between two of kube-proxy's transactions; unset: Kubernetes' own 1 s
#   LAB_NODE_GRACE   (unset)          seconds until a silent node is Unknown; unset: Kubernetes' own 50 s, at its own pace
#   PLENUSLB_LAB     /var/tmp/plenuslb-lab    where the state folders are

fail() { echo "$*" >&2; exit 1; }

LAB_NAME=${LAB_NAME:-pll}
[[ $LAB_NAME =~ ^[a-z][a-z0-9]{0,11}$ ]] || fail "LAB_NAME is \"$LAB_NAME\"; expected 1 to 12 small letters and digits, a letter first."
LAB_STATE=${PLENUSLB_LAB:-/var/tmp/plenuslb-lab}/$LAB_NAME
LAB_CGROUP=plenuslb-$LAB_NAME
LAB_HOST=/run/netns/$LAB_NAME-host
LAB_CLIENT=/run/netns/$LAB_NAME-client
LAB_BIN=$(bin_dir)
KUBECONFIG_ADMIN=$LAB_STATE/pki/admin.conf

# `up` and `start` take them from the environment; every other command takes what was written down then.
read_settings() {
  if [[ ! $1 =~ ^(up|start)$ ]] && [ -f "$LAB_STATE/settings" ]; then source "$LAB_STATE/settings"; fi
  LAB_NODES=${LAB_NODES:-3}
  LAB_SUBNET=${LAB_SUBNET:-172.30.0.0/24}
  LAB_PROXY_MODE=${LAB_PROXY_MODE:-nftables}
  LAB_PROXY_MIN_SYNC=${LAB_PROXY_MIN_SYNC:-}
  LAB_NODE_GRACE=${LAB_NODE_GRACE:-}
  [[ $LAB_NODES =~ ^[1-9]$ ]] || fail "LAB_NODES is \"$LAB_NODES\"; expected 1 to 9."
  [[ $LAB_SUBNET =~ ^[0-9]+\.[0-9]+\.[0-9]+\.0/24$ ]] || fail "LAB_SUBNET is \"$LAB_SUBNET\"; expected A.B.C.0/24."
  [[ $LAB_PROXY_MODE =~ ^(mixed|nftables|iptables)$ ]] || fail "LAB_PROXY_MODE is \"$LAB_PROXY_MODE\"; expected mixed, nftables or iptables."
  [[ $LAB_PROXY_MIN_SYNC =~ ^[0-9]*$ ]] || fail "LAB_PROXY_MIN_SYNC is \"$LAB_PROXY_MIN_SYNC\"; expected whole seconds."
  [[ $LAB_NODE_GRACE =~ ^[0-9]*$ ]] || fail "LAB_NODE_GRACE is \"$LAB_NODE_GRACE\"; expected whole seconds."
  LAN4=${LAB_SUBNET%.0/24}
  LAN6=fd00:172:30:
  LAB_API=https://$LAN4.1:6443
}

write_settings() {
  printf '%s\n' "LAB_NODES=$LAB_NODES" "LAB_SUBNET=$LAB_SUBNET" "LAB_PROXY_MODE=$LAB_PROXY_MODE" \
    "LAB_PROXY_MIN_SYNC=$LAB_PROXY_MIN_SYNC" "LAB_NODE_GRACE=$LAB_NODE_GRACE" >"$LAB_STATE/settings"
}

node_names() { seq -f 'node%g' "$LAB_NODES"; }
node_number() { # refuses a name that is no node of this lab
  node_names | grep -qxF -- "${1:-}" || fail "\"${1:-}\" is no node of the lab $LAB_NAME; it has $(node_names | paste -sd ' ')."
  echo "${1#node}"
}
netns_of() { echo "/run/netns/$LAB_NAME-$1"; }
pod_subnet4() { echo "10.244.$1.0/24"; }
pod_subnet6() { echo "fd00:10:244:$1::/64"; }
POD_SUBNETS=10.244.0.0/16,fd00:10:244::/48
SERVICE_SUBNETS=10.96.0.0/16,fd00:10:96::/112
