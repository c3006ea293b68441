# What the lab needs of the machine, what it changes there, and how that is undone.

require_machine() {
  local missing
  [ "$(id -u)" = 0 ] || fail "The lab makes network namespaces and mounts: run it as root (for example: sudo -E $0)."
  missing=$(while read -r file package; do
    [[ $file != /* ]] || [ -e "$file" ] || echo "$package"
  done <"$LAB_DIR/packages.txt" | paste -sd ' ')
  [ -z "$missing" ] || fail "The lab needs Debian packages that are missing: apt-get install -y --no-install-recommends $missing (or .ci/install.sh)"
}

# The kubelet writes all of these but the last one (measured: kernel.panic 1 -> 10), for the whole machine.
MACHINE_SYSCTLS=(kernel.panic kernel.panic_on_oops kernel.keys.root_maxkeys kernel.keys.root_maxbytes
  vm.overcommit_memory vm.panic_on_oom fs.inotify.max_user_instances)
# In /run, so that a reboot forgets it, as it forgets the sysctls. The first lab saves, the last one restores.
MACHINE_STATE=/run/plenuslb-lab

with_machine_lock() {
  mkdir -p "$MACHINE_STATE/labs"
  exec 8>"$MACHINE_STATE/lock"
  flock 8
  "$@" 8>&-
  exec 8>&-
}

prepare_machine() { with_machine_lock prepare_machine_locked; }
prepare_machine_locked() {
  if [ ! -f "$MACHINE_STATE/sysctls" ]; then
    mountpoint -q /run/netns || touch "$MACHINE_STATE/made-run-netns"
    sysctl "${MACHINE_SYSCTLS[@]}" >"$MACHINE_STATE/.sysctls"
    mv "$MACHINE_STATE/.sysctls" "$MACHINE_STATE/sysctls"
  fi
  touch "$MACHINE_STATE/labs/$LAB_NAME"
  # 128, the default, kill several kubelets on one machine.
  [ "$(sysctl -n fs.inotify.max_user_instances)" -ge 1024 ] || sysctl -qw fs.inotify.max_user_instances=1024
}

restore_machine() { with_machine_lock restore_machine_locked; }
restore_machine_locked() {
  rm -f "$MACHINE_STATE/labs/$LAB_NAME"
  [ -z "$(ls "$MACHINE_STATE/labs")" ] || return 0
  [ ! -f "$MACHINE_STATE/sysctls" ] || sysctl -q -p "$MACHINE_STATE/sysctls"
  if [ -f "$MACHINE_STATE/made-run-netns" ] && [ -z "$(ls /run/netns 2>/dev/null)" ]; then
    umount /run/netns && rmdir /run/netns
  fi
  rm -rf "$MACHINE_STATE"
}
