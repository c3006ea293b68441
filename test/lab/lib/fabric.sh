# The LAN: a bridge in the lab's own network namespace, and a namespace for each node and the client, joined by veths.
# Nothing of it is visible in the machine's namespace, where a probe sent after `down` would leave by the default route.

in_host() { nsenter --net="$LAB_HOST" "$@"; }
host_ip() { ip -n "$LAB_NAME-host" "$@"; }

fabric_up() {
  local node
  ip netns add "$LAB_NAME-host"
  host_ip link set lo up
  host_ip link add lan type bridge forward_delay 0 stp_state 0
  host_ip address add "$LAN4.1/24" dev lan
  host_ip address add "$LAN6:1/64" dev lan nodad
  host_ip link set lan up
  # Frames between the nodes are not the lab host's to filter. (Per namespace: within the nodes it stays on for kube-proxy.)
  in_host sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0
  fabric_add_client
  for node in $(node_names); do fabric_add_node "$node"; done
}

# A reboot does not change a network card, so the hardware address follows from the other: .11 has 02:00:00:00:00:11.
fabric_plug() { # MEMBER LAST-PART-OF-THE-ADDRESS
  ip netns add "$LAB_NAME-$1"
  host_ip link add "v-$1" type veth peer name eth0 address "$(mac_of "$2")" netns "$LAB_NAME-$1"
  host_ip link set "v-$1" master lan up
  ip -n "$LAB_NAME-$1" link set lo up
  ip -n "$LAB_NAME-$1" link set eth0 up
  ip -n "$LAB_NAME-$1" address add "$LAN4.$2/24" dev eth0
  ip -n "$LAB_NAME-$1" address add "$LAN6:$2/64" dev eth0 nodad
}

mac_of() { printf '02:00:00:00:%02d:%02d' $(($1 / 100)) $(($1 % 100)); }

# For the client every address is on the LAN: it asks for any of them by ARP, whatever range a pool has.
fabric_add_client() {
  fabric_plug client 100
  ip -n "$LAB_NAME-client" route add default dev eth0
  ip -n "$LAB_NAME-client" -6 route add default dev eth0
}

fabric_add_node() { # NODE
  local n=${1#node} other
  fabric_plug "$1" "1$n"
  nsenter --net="$(netns_of "$1")" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
    net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
  ip -n "$LAB_NAME-$1" route add default via "$LAN4.1"
  ip -n "$LAB_NAME-$1" -6 route add default via "$LAN6:1"
  # What v0.4's documentation has the user make: an empty bridge that carries the addresses.
  ip -n "$LAB_NAME-$1" link add pl0 type bridge
  ip -n "$LAB_NAME-$1" link set pl0 up
  # Pods reach pods of other nodes, and the API server reaches and answers pods, by plain routes.
  for other in $(node_names); do
    [ "$other" = "$1" ] || pod_routes "$LAB_NAME-$1" "${other#node}"
  done
  pod_routes "$LAB_NAME-host" "$n"
}

pod_routes() { # NAMESPACE NODE-NUMBER
  ip -n "$1" route replace "$(pod_subnet4 "$2")" via "$LAN4.1$2"
  ip -n "$1" -6 route replace "$(pod_subnet6 "$2")" via "$LAN6:1$2"
}

# The veth first: it goes at once, while the kernel takes a namespace apart only later.
fabric_remove() { # MEMBER
  if [ -e "$LAB_HOST" ]; then host_ip link delete "v-$1" 2>/dev/null || true; fi
  if [ -e "$(netns_of "$1")" ]; then ip netns delete "$LAB_NAME-$1"; fi
}

# By what is there, not by the settings: a killed run may have had other ones. Names have no hyphen, so this is ours alone.
fabric_down() {
  local namespace
  for namespace in /run/netns/"$LAB_NAME"-node[1-9] "$LAB_CLIENT" "$LAB_HOST"; do
    [ ! -e "$namespace" ] || fabric_remove "${namespace#/run/netns/"$LAB_NAME"-}"
  done
}
