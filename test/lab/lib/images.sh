# The two images of the lab's own, and the way of images into the nodes. There is no registry anywhere.

# An OCI archive: a layer that a node already has is not unpacked again, so a new bundle on a known base costs 2.2 s to
# export and 1.4 s to import on three nodes (a docker-archive: 2 and 4.8 s).
export_image() { # IMAGE TAR
  rm -f "$2"
  buildah push -q "$1" "oci-archive:$2:$1"
}

has_image() { buildah inspect --type image "$1" >/dev/null 2>&1; }

# From scratch, of one file. Without a time of its own, so that the same file gives the same image.
image_of_file() { # IMAGE FILE PATH-IN-IMAGE ENTRYPOINT
  local container
  container=$(buildah from scratch)
  buildah copy -q "$container" "$2" "$3" >/dev/null
  buildah config --entrypoint "$4" "$container"
  buildah commit -q --rm --timestamp 0 "$container" "$1" >/dev/null
}

pause_image() { has_image localhost/pause:lab || image_of_file localhost/pause:lab /usr/bin/catatonit /pause '["/pause", "-P"]'; }

# Its source is the name of the cached program, and the image is made anew whenever that is.
echo_image() {
  local program
  program=$IMAGE_CACHE/echo-$(cat "$LAB_DIR"/echo/* | sha256sum | cut -c1-12)
  [ -x "$program" ] && has_image localhost/plenuslb-echo:lab && return
  mkdir -p "$IMAGE_CACHE"
  find_go
  (cd "$LAB_DIR/echo" && go build -ldflags "-s -w" -o "$program.half" .)
  image_of_file localhost/plenuslb-echo:lab "$program.half" /echo '["/echo"]'
  mv "$program.half" "$program"
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
