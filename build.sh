#!/bin/bash
# Builds the images plenus/plenuslb and plenus/plenuslb-operator, and the chart that installs them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
  cat <<'END'
usage: ./build.sh [-v TAG] [-p] [-oo | -co]

  -v,  --version TAG       tag of the images and version of the chart (default: latest)
  -p,  --push              push the images afterwards
  -oo, --operator-only     build only plenus/plenuslb-operator
  -co, --controller-only   build only plenus/plenuslb
  -h,  --help              print this

Environment: IMAGE_PREFIX (default: plenus), BUILDER (docker, podman or buildah; default: the first that works),
BASE_IMAGE and OPERATOR_BASE_IMAGE (see Dockerfile), BUILDER_FLAGS (added to every build).
END
}

# Exit code 2: the command line is wrong and nothing was begun.
refuse() { echo "build.sh: $* Run ./build.sh -h for what it takes." >&2; exit 2; }
fail() { echo "build.sh: $*" >&2; exit 1; }

tag=latest push= only=
while [ $# -gt 0 ]; do
  case $1 in
    -v | --version)
      [ $# -ge 2 ] || refuse "$1 needs a tag, for example: $1 v1.0.0."
      [[ $2 =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$ ]] || refuse "'$2' is no image tag: letters, digits, '_', '.' and '-', at most 128, not beginning with '.' or '-'."
      tag=$2; shift 2 ;;
    -p | --push) push=1; shift ;;
    -oo | --operator-only) [ "$only" != controller ] || refuse "-oo and -co exclude each other."; only=operator; shift ;;
    -co | --controller-only) [ "$only" != operator ] || refuse "-oo and -co exclude each other."; only=controller; shift ;;
    -h | --help) usage; exit 0 ;;
    *) refuse "'$1' is not known." ;;
  esac
done

# `docker` may be there without its daemon.
works() { command -v "$1" >/dev/null && "$1" info >/dev/null 2>&1; }
find_builder() {
  local candidate
  for candidate in ${BUILDER:-docker podman buildah}; do works "$candidate" && { echo "$candidate"; return; }; done
  fail "no image builder works here. Install docker, podman or buildah (BUILDER=${BUILDER:-} is set so)."
}

image_of() { case $1 in controller) echo "${IMAGE_PREFIX:-plenus}/plenuslb:$tag" ;; operator) echo "${IMAGE_PREFIX:-plenus}/plenuslb-operator:$tag" ;; esac; }

build_image() { # TARGET
  local flags=() name
  for name in BASE_IMAGE OPERATOR_BASE_IMAGE; do [ -z "${!name:-}" ] || flags+=(--build-arg "$name=${!name}"); done
  # BUILDER_FLAGS is a list of words by design.
  # shellcheck disable=SC2086
  "$builder" build --target "$1" --tag "$(image_of "$1")" "${flags[@]}" ${BUILDER_FLAGS:-} .
}

# A chart's version must be SemVer; `latest` is not, then the chart keeps its own and only points at the images.
package_chart() {
  local version=${tag#v} flags=(--app-version "$tag" --destination dist)
  command -v helm >/dev/null || { echo "build.sh: helm is not installed, so no chart is packaged." >&2; return; }
  [[ ! $version =~ ^[0-9]+\.[0-9]+\.[0-9]+([-+].*)?$ ]] || flags+=(--version "$version")
  helm package chart "${flags[@]}"
}

targets=(${only:-controller operator})
builder=$(find_builder)
[ -d node_modules ] || npm ci
npm run --silent build
for target in "${targets[@]}"; do build_image "$target"; done
[ -n "$only" ] || package_chart
[ -z "$push" ] || for target in "${targets[@]}"; do "$builder" push "$(image_of "$target")"; done
for target in "${targets[@]}"; do echo "built $(image_of "$target")${push:+ and pushed it}"; done
