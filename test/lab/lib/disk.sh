# What a node's disk holds when it is new: the pause and echo images, and the product's bases if they have been made.
# Unpacking 250 MB three times costs 10 s for each image (measured); so it happens once, into the cache, and the nodes get
# hard links. That is safe: containerd never writes to a blob or an unpacked layer, only to its databases.

disk_images() {
  local line
  printf '%s\n' localhost/pause:lab localhost/plenuslb-echo:lab
  [ ! -f "$IMAGE_CACHE/bases" ] || while read -r line; do
    if has_image "${line#*=}"; then echo "${line#*=}"; fi
  done <"$IMAGE_CACHE/bases"
}

new_disk() { # sets DISK
  local images image id
  mapfile -t images < <(disk_images)
  id=$(for image in "${images[@]}"; do buildah inspect --type image --format '{{.FromImageID}}' "$image"; done | sha256sum | cut -c1-12)
  DISK=$IMAGE_CACHE/disk-$id
  [ -d "$DISK" ] || fill_disk "$LAB_STATE/disk" "${images[@]}"
  touch "$DISK"
}

# A containerd for this alone, with a mount namespace for the layers it mounts while it unpacks.
fill_disk() { # WORK-FOLDER IMAGE…
  local work=$1 image pid
  mkdir -p "$work"
  printf '%s\n' 'version = 2' "root = \"$work/root\"" "state = \"$work/state\"" \
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]' '[grpc]' "address = \"$work/socket\"" >"$work/containerd.toml"
  unshare --mount containerd -c "$work/containerd.toml" >"$LAB_STATE/log/disk.log" 2>&1 &
  pid=$!
  await 20 "The start of containerd" disk_ctr "$work" version >/dev/null
  for image in "${@:2}"; do
    export_image "$image" "$work/image.tar"
    disk_ctr "$work" images import "$work/image.tar" >/dev/null
  done
  kill "$pid"
  wait "$pid" || true
  keep_disk "$work/root"
  rm -rf "$work"
}

# Whole or not at all: the cache may be on another file system, and another lab may be doing the same.
keep_disk() { # FOLDER
  find "$IMAGE_CACHE" -maxdepth 1 -name 'disk-*' -mmin +60 -exec rm -rf {} +
  mv "$1" "$DISK.$LAB_NAME"
  mv -T "$DISK.$LAB_NAME" "$DISK" 2>/dev/null || rm -rf "$DISK.$LAB_NAME"
}

disk_ctr() { ctr -a "$1/socket" -n k8s.io "${@:2}"; }

# Links need one file system; elsewhere it is a copy.
install_disk() { # TARGET
  cp -al "$DISK/." "$1/" 2>/dev/null || cp -a "$DISK/." "$1/"
  (cd "$DISK" && find . -name '*.db' -exec cp --parents --remove-destination {} "$1/" \;)
}
