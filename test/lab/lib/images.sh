# The two images that the lab itself needs, and the way of images into the nodes. There is no registry anywhere.

# buildah's layers are stored uncompressed in a docker-archive: nothing is packed here and unpacked three times.
export_image() { # IMAGE TAR
  rm -f "$2.half"
  buildah push -q "$1" "docker-archive:$2.half:$1"
  mv "$2.half" "$2"
}

# From scratch, of one file: made once, then cached.
image_of_file() { # TAR IMAGE FILE PATH-IN-IMAGE ENTRYPOINT
  local container
  [ ! -f "$1" ] || return 0
  mkdir -p "$(dirname "$1")"
  container=$(buildah from scratch)
  buildah copy -q "$container" "$3" "$4" >/dev/null
  buildah config --entrypoint "$5" "$container"
  buildah commit -q --rm "$container" "$2" >/dev/null
  export_image "$2" "$1"
}

pause_image() {
  PAUSE_TAR=$IMAGE_CACHE/pause.tar
  image_of_file "$PAUSE_TAR" localhost/pause:lab /usr/bin/catatonit /pause '["/pause", "-P"]'
}

echo_image() {
  local hash
  hash=$(cat "$LAB_DIR"/echo/* | sha256sum | cut -c1-12)
  ECHO_TAR=$IMAGE_CACHE/echo-$hash.tar
  [ -f "$ECHO_TAR" ] || build_echo "$IMAGE_CACHE/echo-$hash"
  image_of_file "$ECHO_TAR" localhost/plenuslb-echo:lab "$IMAGE_CACHE/echo-$hash" /echo '["/echo"]'
}
build_echo() { # FILE
  mkdir -p "$IMAGE_CACHE"
  (cd "$LAB_DIR/echo" && PATH=$PATH:/usr/local/go/bin GOTOOLCHAIN=local CGO_ENABLED=0 GOFLAGS=-buildvcs=false \
    go build -trimpath -ldflags "-s -w" -o "$1" .)
}

# Into all nodes at once; what is no file is taken for the name of an image of buildah's.
load_images() { # TAR-OR-IMAGE…
  local tar node pids pid failed=0
  for tar in "$@"; do
    if [ ! -f "$tar" ]; then
      export_image "$tar" "$LAB_STATE/load.tar"
      tar=$LAB_STATE/load.tar
    fi
    pids=()
    for node in $(node_names); do
      ctr -a "$LAB_STATE/$node/run/containerd/containerd.sock" -n k8s.io images import "$tar" >/dev/null &
      pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
    [ $failed = 0 ] || fail "$tar was not imported by every node."
  done
  rm -f "$LAB_STATE/load.tar"
}
