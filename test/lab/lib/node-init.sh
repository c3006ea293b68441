#!/bin/bash
# Pid 1 of a node, in namespaces of its own (node.sh). Every file is at its usual place, as on a machine.
set -euo pipefail

files=$LAB_STATE/$1

# The same hierarchies as the machine's, but rooted in the node's own cgroup.
mount_cgroups() { # HIERARCHY…
  local name
  if [ $# = 0 ]; then # cgroup v2 alone; not run on such a machine yet
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    mkdir -p /sys/fs/cgroup/init
    echo $$ >/sys/fs/cgroup/init/cgroup.procs # a cgroup with processes hands no controllers down
    return
  fi
  mount -t tmpfs -o mode=755 none /sys/fs/cgroup
  cd /sys/fs/cgroup
  for name in "$@"; do
    mkdir "$name"
    case $name in
      unified) mount -t cgroup2 cgroup2 unified ;;
      systemd) mount -t cgroup -o none,name=systemd cgroup systemd ;;
      *) mount -t cgroup -o "$name" cgroup "$name" ;;
    esac
  done
  cd /
}

mount_files() {
  local mount
  for mount in run:/run containerd:/var/lib/containerd kubelet:/var/lib/kubelet cni:/var/lib/cni net.d:/etc/cni/net.d log:/var/log; do
    mkdir -p "${mount#*:}"
    mount --bind "$files/${mount%%:*}" "${mount#*:}"
  done
  mount --make-rshared / # the kubelet's mounts must reach the containers
}

hostname "$1"
hierarchies=()
if [ -d /sys/fs/cgroup/unified ]; then
  for dir in /sys/fs/cgroup/*/; do [ -L "${dir%/}" ] || hierarchies+=("$(basename "$dir")"); done
fi
mount -t proc proc /proc
mount -t sysfs sysfs /sys # shows the links of the node's network namespace, and an empty /sys/fs/cgroup
mount_cgroups "${hierarchies[@]}"
mount_files

containerd -c "$files/containerd.toml" >/var/log/containerd.log 2>&1 &
until ctr version >/dev/null 2>&1; do sleep 0.05; done
# Again and again as its systemd unit does: it gives up where containerd's CRI is not there yet, which `ctr` does not need.
until kubelet --config=/var/lib/kubelet/config.yaml --kubeconfig="$LAB_STATE/pki/$1.conf" \
  --node-ip="$NODE_ADDRESSES" --hostname-override="$1"; do sleep 0.5; done >/var/log/kubelet.log 2>&1 &
kube-proxy --config="$files/kube-proxy.yaml" --hostname-override="$1" >/var/log/kube-proxy.log 2>&1 &
wait
