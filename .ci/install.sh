#!/bin/bash
# What a new machine needs before .ci/run: the Debian packages of test/lab/packages.txt, and nothing else. Quick when all
# are there. Go and Node are expected on the machine (test/lab/build.sh says so if Go is not).
set -euo pipefail

packages=$(dirname "${BASH_SOURCE[0]}")/../test/lab/packages.txt
missing=()
while read -r file package; do
  [[ $file != /* ]] || [ -e "$file" ] || missing+=("$package")
done <"$packages"
[ ${#missing[@]} -gt 0 ] || exit 0

[ "$(id -u)" = 0 ] || { echo "Debian packages are missing: sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
# A new machine has no package lists, an old one has lists of versions that are gone.
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
