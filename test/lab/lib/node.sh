# A node: a network namespace (fabric.sh) and in it containerd, kubelet and kube-proxy, in mount, pid, ipc, uts and cgroup
# namespaces of their own, with a pid 1 (node-init.sh) whose death ends them all. Its files are in LAB_STATE/NODE.

node_files() { # NODE
  local dir=$LAB_STATE/$1 n=${1#node}
  mkdir -p "$dir"/{run,containerd,kubelet,cni,net.d,log}
  cat >"$dir/net.d/10-lab.conflist" <<EOF
{"cniVersion": "1.0.0", "name": "lab", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true, "ipMasq": false, "ipam": {"type": "host-local",
   "ranges": [[{"subnet": "$(pod_subnet4 "$n")"}], [{"subnet": "$(pod_subnet6 "$n")"}]],
   "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
EOF
  kubelet_configuration "$1" >"$dir/kubelet/config.yaml"
  kube_proxy_configuration "$1" >"$dir/kube-proxy.yaml"
  # Defaults but for three things. Without CAP_SYS_RESOURCE runc may not write oom_score_adj -998, and no pod starts
  # ("can't get final child's PID from pipe: EOF"). The pause image is ours, and Debian has the CNI plugins elsewhere.
  containerd config default | sed -e 's#"[^"]*/pause:[^"]*"#"localhost/pause:lab"#' \
    -e 's#\(restrict_oom_score_adj = \)false#\1true#' -e 's#/opt/cni/bin#/usr/lib/cni#' >"$dir/containerd.toml"
}

# failCgroupV1: refused by default since 1.35. oomScoreAdj, maxOpenFiles: as far as one gets without CAP_SYS_RESOURCE.
# imageGC: containerd 1.6 does not pin the pause image. eviction: the disk is the machine's.
kubelet_configuration() { # NODE
  cat <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $LAB_STATE/pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $LAB_STATE/pki/$1.crt
tlsPrivateKeyFile: $LAB_STATE/pki/$1.key
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
failCgroupV1: false
cgroupDriver: cgroupfs
failSwapOn: false
oomScoreAdj: 0
maxOpenFiles: 20000
imageGCHighThresholdPercent: 100
evictionHard: {nodefs.available: "0%", nodefs.inodesFree: "0%", imagefs.available: "0%"}
EOF
  # The lease must be renewed well within a shortened grace; otherwise Kubernetes' defaults (40 s, renewed every 10 s) hold.
  [ -z "$LAB_NODE_GRACE" ] || printf '%s\n' "nodeStatusUpdateFrequency: 2s" "nodeLeaseDurationSeconds: 8"
}

# conntrack: nf_conntrack_max is read-only in a network namespace.
kube_proxy_configuration() { # NODE
  local mode=$LAB_PROXY_MODE min_sync=${LAB_PROXY_MIN_SYNC:-1} sync
  # kube-proxy refuses a period that is shorter than the least, and its own is 30 s.
  sync=$((min_sync > 30 ? min_sync : 30))
  [ $mode != mixed ] || mode=$([ "$1" = "node$LAB_NODES" ] && echo iptables || echo nftables)
  cat <<EOF
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: $mode
clientConnection: {kubeconfig: $LAB_STATE/pki/kube-proxy.conf}
detectLocalMode: ClusterCIDR
clusterCIDR: "$POD_SUBNETS"
conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
nftables: {syncPeriod: ${sync}s, minSyncPeriod: ${min_sync}s}
iptables: {syncPeriod: ${sync}s, minSyncPeriod: ${min_sync}s, localhostNodePorts: false}
oomScoreAdj: 0
EOF
}

node_start() { # NODE
  (
    enter_node_cgroup "$1"
    echo $BASHPID >"$LAB_STATE/$1/pid"
    exec setsid env -i PATH="$LAB_BIN:$PATH" HOME=/root LAB_STATE="$LAB_STATE" \
      NODE_ADDRESSES="$LAN4.1${1#node},$LAN6:1${1#node}" nsenter --net="$(netns_of "$1")" \
      unshare --mount --pid --fork --kill-child --uts --ipc --cgroup --propagation private \
      "$LAB_DIR/lib/node-init.sh" "$1" >"$LAB_STATE/$1/log/init.log" 2>&1 </dev/null
  ) &
}

node_pid1() { # the node's pid 1 as the machine numbers it
  local pid
  pid=$(pgrep -P "$(cat "$LAB_STATE/$1/pid" 2>/dev/null)" 2>/dev/null) || fail "$1 is not running."
  echo "$pid"
}

# All of its software ends at once, while its kernel goes on answering ARP and ping for every address: what fencing is for.
node_kill() { kill_cgroup "$1"; }

# The plug first: a dead machine sends nothing while it dies.
node_power_off() {
  host_ip link set "v-$1" down
  node_kill "$1"
}

# A new network namespace, since a reboot keeps no address, nft table or connection; disks (images, CNI leases) are kept.
node_power_on() {
  node_kill "$1"
  remove_cgroup "$1"
  fabric_remove "$1"
  rm -rf "$LAB_STATE/$1/run"
  node_files "$1"
  fabric_add_node "$1"
  node_start "$1"
}

# The node runs on but the API server is out of reach: input too, since with output alone a watch goes on delivering;
# before DNAT (-100) too, for the pods that use the Service address.
node_cut_api() {
  nsenter --net="$(netns_of "$1")" nft -f - <<EOF
table ip lab_cut {
  chain out { type filter hook output priority -200; ip daddr { $LAN4.1, 10.96.0.1 } tcp dport { 443, 6443 } drop; }
  chain in { type filter hook input priority -200; ip saddr $LAN4.1 tcp sport 6443 drop; }
  chain pods { type filter hook prerouting priority -200; ip daddr { $LAN4.1, 10.96.0.1 } tcp dport { 443, 6443 } drop; }
  chain forward { type filter hook forward priority -200; ip saddr $LAN4.1 tcp sport 6443 drop; }
}
EOF
}
node_heal_api() { nsenter --net="$(netns_of "$1")" nft delete table ip lab_cut; }

# At the bridge's port, so that the node's kernel knows nothing of it. `in`: no frame reaches the node; `out`: none of its own
# leaves; `both`. `client`: it is cut off from the client alone, and from what is sent to all, by which a client is found.
node_cut_lan() { # NODE in|out|both|client
  local port=v-$1 to='' from='' client
  client=$(mac_of 100)
  case ${2:-both} in
    in) to=drop ;;
    out) from=drop ;;
    both) to=drop from=drop ;;
    client) to="ether saddr $client drop" from="ether daddr { $client, ff:ff:ff:ff:ff:ff } drop" ;;
    *) fail "node-cut-lan NODE in, out, both or client" ;;
  esac
  in_host nft -f - <<EOF
table netdev lab_cut_$1 {
  chain to { type filter hook egress device $port priority 0; $to; }
  chain from { type filter hook ingress device $port priority 0; $from; }
}
EOF
}
node_heal_lan() { in_host nft delete table netdev "lab_cut_$1"; }
