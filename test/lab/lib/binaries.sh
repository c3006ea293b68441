# Which binaries the lab runs and where they are cached. Sourced by build.sh, cluster.sh and loopback.sh.

LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

ETCD_AND_KUBERNETES=(etcd kube-apiserver kubectl kube-controller-manager kube-scheduler kubelet kube-proxy)
HELM_VERSION=v3.21.4
# Raised by hand when a build flag changes, since only versions are hashed.
BUILD_RECIPE=1

kubernetes_version() { awk '$1 == "k8s.io/kubernetes" && $2 ~ /^v/ { print $2 }' "$LAB_DIR/k8s/go.mod"; }

PLENUSLB_CACHE=${PLENUSLB_CACHE:-$HOME/.cache/plenuslb}
IMAGE_CACHE=$PLENUSLB_CACHE/images

# One folder per set of versions, so that branches with different ones do not overwrite each other's.
bin_dir() {
  local hash
  hash=$({ cat "$LAB_DIR/k8s/go.mod"; echo "$HELM_VERSION $BUILD_RECIPE"; } | sha256sum | cut -c1-12)
  echo "$PLENUSLB_CACHE/bin-$hash"
}

# Missing binaries among "$@", one a line.
missing_binaries() {
  local bin name
  bin=$(bin_dir)
  for name in "$@"; do [ -x "$bin/$name" ] || echo "$name"; done
}

# A distribution's Go is often an older one, with a newer beside it.
find_go() {
  local dir
  for dir in "$(dirname "$(command -v go || echo /none/go)")" /usr/local/go/bin; do
    if [ -x "$dir/go" ] && printf '%s\n' go1.26 "$("$dir/go" env GOVERSION)" | sort -VC; then
      PATH=$dir:$PATH
      # local: Go would download another toolchain otherwise.
      export GOTOOLCHAIN=local CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false"
      return
    fi
  done
  echo "The lab builds Kubernetes itself and needs Go 1.26 or later: unpack it from https://go.dev/dl to /usr/local/go." >&2
  exit 1
}
