#!/bin/bash
# Builds Kubernetes, etcd and helm from Go modules into the cache, each only if it is missing, and prints the folder.
#
#   test/lab/build.sh                        all of them
#   test/lab/build.sh etcd kube-apiserver    only these
#
# Cold, on 2 cores: about 5 minutes and 2.6 GB of Go's own caches, which make the next version cheap.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib/binaries.sh"

# Without these, gitVersion is v0.0.0-master: helm's kubeVersion checks and the version skew rules would see garbage.
kubernetes_ldflags() {
  local version=$1 package flags="-s -w" minor
  minor=${version#v1.}; minor=${minor%%.*}
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags+=" -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$minor"
    flags+=" -X $package.gitTreeState=clean -X $package.gitCommit=$(printf '0%.0s' {1..40}) -X $package.buildDate=2026-01-01T00:00:00Z"
  done
  echo "$flags"
}

# helm assumes Kubernetes 1.20 in `helm template` unless it is told otherwise.
helm_ldflags() {
  local minor
  minor=$(kubernetes_version); minor=${minor#v1.}; minor=${minor%%.*}
  echo "-s -w -X helm.sh/helm/v3/internal/version.version=$HELM_VERSION" \
    "-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=$minor"
}

# Into a folder beside the target, then renamed: a build that is killed leaves no half file behind.
build_one() {
  local name=$1 half=$2
  case $name in
    helm) GOBIN=$half go install -p 2 -ldflags "$(helm_ldflags)" "helm.sh/helm/v3/cmd/helm@$HELM_VERSION" ;;
    etcd) (cd "$LAB_DIR/k8s" && go build -p 2 -ldflags "-s -w" -o "$half/etcd" go.etcd.io/etcd/server/v3) ;;
    *) (cd "$LAB_DIR/k8s" && go build -p 2 -tags selinux,notest,grpcnotrace \
      -ldflags "$(kubernetes_ldflags "$(kubernetes_version)")" -o "$half/$name" "k8s.io/kubernetes/cmd/$name") ;;
  esac
}

known() { printf '%s\n' "${ETCD_AND_KUBERNETES[@]}" helm | grep -qxF -- "$1"; }

main() {
  local bin name started half
  [ $# -gt 0 ] || set -- "${ETCD_AND_KUBERNETES[@]}" helm
  for name in "$@"; do known "$name" || { echo "build.sh knows ${ETCD_AND_KUBERNETES[*]} helm, not $name." >&2; exit 2; }; done
  bin=$(bin_dir)
  mkdir -p "$bin"
  if [ -n "$(missing_binaries "$@")" ]; then
    find_go
    exec 9>"$bin/.lock"
    flock 9
    rm -rf "$bin"/.half-*
    half=$(mktemp -d "$bin/.half-XXXXXX")
    trap "rm -rf '$half'" EXIT  # expanded now: half is local
    for name in "$@"; do
      [ -x "$bin/$name" ] && continue
      started=$SECONDS
      echo "building $name" >&2
      build_one "$name" "$half" 9>&-
      mv "$half/$name" "$bin/$name"
      echo "built $name in $((SECONDS - started)) s" >&2
    done
  fi
  echo "$bin"
}

main "$@"
