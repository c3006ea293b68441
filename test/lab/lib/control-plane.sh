# etcd, kube-apiserver, kube-controller-manager and kube-scheduler as plain processes in the lab's host namespace.

control_plane_certificates() {
  local pki=$LAB_STATE/pki node name
  new_authority "$pki"
  new_certificate "$pki" server /CN=kube-apiserver \
    "IP:127.0.0.1,IP:$LAN4.1,IP:$LAN4.2,IP:$LAN6:1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes.default.svc"
  new_certificate "$pki" admin /O=system:masters/CN=admin
  for name in kube-controller-manager kube-scheduler kube-proxy; do new_certificate "$pki" "$name" "/CN=system:$name"; done
  for node in $(node_names); do
    # One for both directions: the API server calls the kubelet by its address.
    new_certificate "$pki" "$node" "/O=system:nodes/CN=system:node:$node" "IP:$LAN4.1${node#node},IP:$LAN6:1${node#node}"
  done
  for name in admin kube-controller-manager kube-scheduler kube-proxy $(node_names); do
    new_kubeconfig "$pki" "$name" "$LAB_API"
  done
}

# Every write by verb, user and object, so that tests can count them; reads are many and nobody asks for them.
write_audit_policy() {
  cat >"$LAB_STATE/audit.yaml" <<'EOF'
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: None, verbs: [get, list, watch]}
- {level: Metadata}
EOF
}

component() { # NAME ARGUMENT…: in the cgroup COMPONENT_CGROUP, with COMPONENT_LOG
  local name=$1
  shift
  (
    enter_cgroup "${COMPONENT_CGROUP:-control-plane}"
    cd "$LAB_STATE"
    exec setsid env -i PATH="$PATH" HOME=/root nsenter --net="$LAB_HOST" "$LAB_BIN/$name" "$@" \
      >"$LAB_STATE/log/${COMPONENT_LOG:-$name}.log" 2>&1 </dev/null
  ) &
}

start_etcd() {
  component etcd --data-dir etcd --unsafe-no-fsync --listen-client-urls http://127.0.0.1:2379 \
    --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380 \
    --heartbeat-interval=10 --election-timeout=100
}

# kubelet-preferred-address-types: node names do not resolve here, and `kubectl exec` and `logs` fail without it.
# audit blocking-strict: a write that is not in the log has not happened, which is what a count needs.
start_apiserver() { # [ADDRESS AUDIT-LOG]
  local address=${1:-$LAN4.1} audit=${2:-$LAB_STATE/audit.log}
  component kube-apiserver --bind-address="$address" --advertise-address="$address" --secure-port=6443 \
    --etcd-servers=http://127.0.0.1:2379 --service-cluster-ip-range="$SERVICE_SUBNETS" --client-ca-file=pki/ca.crt \
    --tls-cert-file=pki/server.crt --tls-private-key-file=pki/server.key \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file=pki/sa.pub \
    --service-account-signing-key-file=pki/sa.key --authorization-mode=Node,RBAC \
    --enable-admission-plugins=NodeRestriction --allow-privileged=true --profiling=false \
    --kubelet-client-certificate=pki/admin.crt --kubelet-client-key=pki/admin.key \
    --kubelet-certificate-authority=pki/ca.crt --kubelet-preferred-address-types=InternalIP \
    --audit-policy-file=audit.yaml --audit-log-path="$audit" --audit-log-mode=blocking-strict \
    --audit-log-maxsize=4000
}

# A second one on the same etcd, at .2: Kubernetes spreads the connections to its Service address over both; kubelets and
# kube-proxies go on with the first. Black-holed, it lives and stays in that Service, and nothing reaches it.
second_api() { # up|down|cut|heal
  case ${1:-} in
    up)
      host_ip address replace "$LAN4.2/24" dev lan
      COMPONENT_CGROUP=second-api COMPONENT_LOG=second-api start_apiserver "$LAN4.2" "$LAB_STATE/second-audit.log"
      await 60 "The second API server's start" both_apis_are_endpoints
      ;;
    cut)
      in_host nft -f - <<EOF
table ip lab_second_api {
  chain in { type filter hook input priority -200; ip daddr $LAN4.2 drop; }
  chain out { type filter hook output priority -200; ip saddr $LAN4.2 drop; }
}
EOF
      ;;
    heal) in_host nft delete table ip lab_second_api ;;
    down)
      kill_cgroup second-api
      await 60 "The withdrawal of the second API server" only_one_api_is_endpoint
      host_ip address delete "$LAN4.2/24" dev lan
      ;;
    *) fail "second-api up, down, cut or heal" ;;
  esac
}
api_endpoints() { kubectl get endpoints kubernetes -o 'jsonpath={.subsets[*].addresses[*].ip}'; }
both_apis_are_endpoints() { [[ $(api_endpoints) == *"$LAN4.2"* ]]; }
only_one_api_is_endpoint() { ! both_apis_are_endpoints; }

start_controllers() {
  local grace=()
  [ -z "$LAB_NODE_GRACE" ] || grace=(--node-monitor-period=1s "--node-monitor-grace-period=${LAB_NODE_GRACE}s")
  component kube-controller-manager --kubeconfig=pki/kube-controller-manager.conf \
    --authentication-kubeconfig=pki/kube-controller-manager.conf \
    --authorization-kubeconfig=pki/kube-controller-manager.conf --bind-address=127.0.0.1 --leader-elect=false \
    --use-service-account-credentials --service-account-private-key-file=pki/sa.key --root-ca-file=pki/ca.crt \
    --cluster-signing-cert-file=pki/ca.crt --cluster-signing-key-file=pki/ca.key "${grace[@]}"
  component kube-scheduler --kubeconfig=pki/kube-scheduler.conf --authentication-kubeconfig=pki/kube-scheduler.conf \
    --authorization-kubeconfig=pki/kube-scheduler.conf --bind-address=127.0.0.1 --leader-elect=false
}

api_is_ready() {
  in_host curl -sf --cacert "$LAB_STATE/pki/ca.crt" --cert "$LAB_STATE/pki/admin.crt" --key "$LAB_STATE/pki/admin.key" \
    "$LAB_API/readyz" >/dev/null
}

kubectl() { in_host "$LAB_BIN/kubectl" --kubeconfig "$KUBECONFIG_ADMIN" "$@"; }

await() { # SECONDS WHAT COMMAND…
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" 2>/dev/null; do
    [ $SECONDS -lt $deadline ] || fail "$what did not happen in time; the logs are in $LAB_STATE/log and $LAB_STATE/node*/log."
    sleep 0.1
  done
}

control_plane_up() {
  write_audit_policy
  start_etcd
  start_apiserver
  await 60 "The API server's start" api_is_ready
  start_controllers
}
