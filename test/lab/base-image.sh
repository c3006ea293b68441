#!/bin/bash
# Base images for the product's Dockerfile where no registry is: Debian by mmdebstrap, then Node as a layer of its own.
# Prints the Dockerfile's build arguments, one a line:
#
#   BASE_IMAGE=localhost/plenuslb-base:…            what the controller stands on
#   OPERATOR_BASE_IMAGE=localhost/plenuslb-operator-base:…
#
# Each is made only when buildah does not have it: a minute from Debian's mirror, seconds from the cached archive.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/binaries.sh"
source "$LAB_DIR/lib/settings.sh"
source "$LAB_DIR/lib/machine.sh"

# libstdc++6 is Node's only need beyond libc; passwd makes the user `node` (1000), whom the upstream image has too.
CONTROLLER_PACKAGES=ca-certificates,libstdc++6,passwd
# catatonit reaps what the operator's tools leave behind.
OPERATOR_PACKAGES=$CONTROLLER_PACKAGES,iproute2,nftables,iputils-arping,libndp-tools,socat,conntrack,catatonit
NODE_BINARY=${NODE_BINARY:-$LAB_DIR/../../node_modules/node/bin/node}

# Raised by hand when the way of making changes.
BASE_RECIPE=1
hash_of() { printf '%s\n' "$@" "$BASE_RECIPE" | sha256sum | cut -c1-12; }

# Without apt, documentation and translations: what is in the image is copied to every node after each `up`.
debian_archive() { # PACKAGES, prints the archive
  local tar
  tar=$IMAGE_CACHE/debian-$(hash_of "$1").tar
  if [ ! -f "$tar" ]; then
    mkdir -p "$IMAGE_CACHE"
    mmdebstrap --quiet --format=tar --variant=essential --include="$1" --dpkgopt='path-exclude=/usr/share/doc/*' \
      --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
      --customize-hook='chroot "$1" useradd --uid 1000 --create-home node' \
      --customize-hook='rm -rf "$1"/var/lib/apt "$1"/var/cache "$1"/var/log/*' bookworm "$tar.half" >&2
    mv "$tar.half" "$tar"
  fi
  echo "$tar"
}

base_image() { # NAME PACKAGES, prints the image
  local image container
  image=$1:$(hash_of "$2" "$("$NODE_BINARY" --version)")
  if ! buildah inspect --type image "$image" >/dev/null 2>&1; then
    container=$(buildah from scratch)
    buildah add -q "$container" "$(debian_archive "$2")" / >/dev/null
    # Two commits, hence two layers: the second has the same digest in both images, and is stored once in a node.
    buildah commit -q --rm "$container" "$image-debian" >/dev/null
    container=$(buildah from --pull-never "$image-debian")
    buildah copy -q "$container" "$NODE_BINARY" /usr/local/bin/node >/dev/null
    buildah config --entrypoint '[]' --cmd node --workingdir / "$container"
    buildah commit -q --rm "$container" "$image" >/dev/null
  fi
  echo "$image"
}

require_machine
[ -x "$NODE_BINARY" ] || fail "Node 24 comes from the npm package \"node\": run npm ci first ($NODE_BINARY is not there)."
base=$(base_image localhost/plenuslb-base "$CONTROLLER_PACKAGES")
operator_base=$(base_image localhost/plenuslb-operator-base "$OPERATOR_PACKAGES")
mkdir -p "$IMAGE_CACHE"
# cluster.sh lays them on the disks of new nodes.
printf '%s\n' "BASE_IMAGE=$base" "OPERATOR_BASE_IMAGE=$operator_base" | tee "$IMAGE_CACHE/bases"
