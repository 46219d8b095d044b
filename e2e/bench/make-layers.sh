#!/bin/sh
# Makes the layers of the benchmark's stack from Debian's packages: OUTPUT/base.tar, a root file system, and one tar for each
# other layer with the unpacked packages that an image of its kind would add. About 2.4 GB of what real images are made of.
# Usage, as root: unshare --mount --pid --fork --kill-child make-layers.sh OUTPUT
set -eu
output=$1
work=$output/work
mkdir -p "$work"
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/../../fixtures/rootfs/private-apt.sh"
export SOURCE_DATE_EPOCH="$release_epoch" LC_ALL=C.UTF-8

main() {
  mount --make-rprivate /
  mkdir "$work/tools" "$work/tmp"
  (cd "$work/tools" && private_apt download mmdebstrap >&2 && dpkg-deb -x mmdebstrap_*.deb .)
  apt-config dump Acquire | grep -E '^Acquire::(https?|ftp)::' >"$work/acquire.conf" || :
  TMPDIR=$work/tmp perl "$work/tools/usr/bin/mmdebstrap" --quiet --mode=root --variant=apt --format=directory \
    --aptopt="$work/acquire.conf" --aptopt='Acquire::Languages "none"' \
    "$suite" "$work/base" "deb [signed-by=$keyring] $mirror $suite main" >&2
  pack base
  layer python libpython3.13-stdlib python3.13-minimal python3-numpy python3-scipy python3-pandas python3-matplotlib \
    python3-sklearn-lib python3-sklearn python3-sympy libopenblas0-pthread
  layer node nodejs libnode115 npm nginx-common nginx
  layer java openjdk-21-jre-headless openjdk-21-jdk-headless
  layer office libreoffice-core libreoffice-common libreoffice-calc libreoffice-writer fonts-noto-core
  layer browser chromium chromium-common
  layer build llvm-19 libllvm19 clang-19 libclang-cpp19 gcc-14-x86-64-linux-gnu g++-14-x86-64-linux-gnu cpp-14-x86-64-linux-gnu
  layer database mariadb-server-core mariadb-client-core postgresql-17 postgresql-client-17
  layer golang golang-1.24-go golang-1.24-src
  rm -rf "$work"
}

# layer NAME PACKAGE…
layer() {
  name=$1
  shift
  mkdir -p "$work/debs-$name" "$work/$name"
  for package in "$@"; do
    # The benchmark does not hang on one package that has another name today.
    (cd "$work/debs-$name" && private_apt download "$package" >/dev/null 2>&1) || echo "no package $package" >&2
  done
  for deb in "$work/debs-$name"/*.deb; do dpkg-deb -x "$deb" "$work/$name"; done
  rm -rf "$work/debs-$name"
  pack "$name"
  rm -rf "${work:?}/$name"
}

pack() {
  tar -C "$work/$1" --sort=name --clamp-mtime --mtime="@$release_epoch" --numeric-owner --exclude='./dev/*' --exclude='./proc/*' \
    --exclude='./sys/*' --exclude='./var/lib/apt/lists/*' --exclude='./var/cache/apt/*' -cf "$output/$1.tar" .
  ls -l "$output/$1.tar" >&2
}

main
