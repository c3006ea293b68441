# The lab's own cgroup in every hierarchy: what is in it is the lab's, and nothing else is ever killed.
# A pid file is not enough: `up` once found a forgotten API server ready within a second and took it for its own.

UNIFIED=/sys/fs/cgroup/unified
[ -d $UNIFIED ] || UNIFIED=/sys/fs/cgroup

hierarchies() {
  local dir
  if [ "$UNIFIED" = /sys/fs/cgroup ]; then echo "$UNIFIED"; return; fi
  for dir in /sys/fs/cgroup/*/; do [ -L "${dir%/}" ] || echo "${dir%/}"; done
}

# Only where processes are killed from: memory and cpu stay accounted as they were.
enter_cgroup() { # PART
  mkdir -p "$UNIFIED/$LAB_CGROUP/$1"
  echo $BASHPID >"$UNIFIED/$LAB_CGROUP/$1/cgroup.procs"
}

# In all hierarchies, since this is what the node's kubelet sees as the root. Each node has a machine's share of the time, as the
# control plane has: all of them in one share would be machines of a fraction of its speed.
enter_node_cgroup() { # NODE
  local hierarchy dir file
  for hierarchy in $(hierarchies); do
    for dir in "$hierarchy/$LAB_CGROUP" "$hierarchy/$LAB_CGROUP/$1"; do
      mkdir -p "$dir"
      # A new v1 cpuset is empty, and nothing may enter it until it is filled.
      if [ "${hierarchy##*/}" = cpuset ]; then
        for file in cpuset.cpus cpuset.mems; do cat "$hierarchy/$file" >"$dir/$file"; done
      fi
      [ "${hierarchy##*/}" != cpu ] || echo $((1024 * LAB_NODES)) >"$hierarchy/$LAB_CGROUP/cpu.shares"
      # On cgroup v2 alone controllers are handed down; not run on such a machine yet.
      if [ "$hierarchy" = /sys/fs/cgroup ]; then
        sed 's/\([^ ]*\)/+\1/g' "${dir%/*}/cgroup.controllers" >"${dir%/*}/cgroup.subtree_control" || true
      fi
    done
    echo $BASHPID >"$hierarchy/$LAB_CGROUP/$1/cgroup.procs"
  done
}

cgroup_processes() { find "$UNIFIED/$LAB_CGROUP/${1:-}" -name cgroup.procs -exec cat {} + 2>/dev/null || true; }

kill_cgroup() { # [PART]: at once, and waits until the last one is gone
  local dir=$UNIFIED/$LAB_CGROUP/${1:-}
  [ -d "$dir" ] || return 0
  echo 1 >"$dir/cgroup.kill"
  while [ -n "$(cgroup_processes "${1:-}")" ]; do sleep 0.02; done
}

# The kernel lets go of a hierarchy's last process a moment after the process is gone: rmdir says busy until then.
remove_cgroup() { # [PART]: with the kubelet's own cgroups below it
  local hierarchy dir try
  for hierarchy in $(hierarchies); do
    dir=$hierarchy/$LAB_CGROUP/${1:-}
    for try in {1..100}; do
      [ ! -d "$dir" ] || find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null || { sleep 0.02; continue; }
      break
    done
    [ ! -d "$dir" ] || fail "The cgroup $dir does not go: $(wc -l <"$dir/cgroup.procs") processes."
  done
}
