#!/bin/sh
# Makes the layers of a benchmark's stack: OUTPUT/base.tar, a root file system, and one tar for each other layer.
# `packages`: unpacked Debian packages, as images of several kinds would add them; about 2.2 GB.
# `erp`: one image as frappe_docker builds it, its bench in one layer, with the packages of Python and of npm that the apps ask for,
# each app with its own node_modules; and a database and a cache. The apps' own sources are missing, and what they build. About 2.2 GB.
# Usage, as root: unshare --mount --pid --fork --kill-child make-layers.sh OUTPUT packages|erp
set -eu
output=$1
stack=$2
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
  "make_$stack"
  rm -rf "$work"
}

make_packages() {
  layer python libpython3.13-stdlib python3.13-minimal python3-numpy python3-scipy python3-pandas python3-matplotlib \
    python3-sklearn-lib python3-sklearn python3-sympy libopenblas0-pthread
  layer node nodejs libnode115 npm nginx-common nginx
  layer java openjdk-21-jre-headless openjdk-21-jdk-headless
  layer office libreoffice-core libreoffice-common libreoffice-calc libreoffice-writer fonts-noto-core
  layer browser chromium chromium-common
  layer build llvm-19 libllvm19 clang-19 libclang-cpp19 gcc-14-x86-64-linux-gnu g++-14-x86-64-linux-gnu cpp-14-x86-64-linux-gnu
  layer database mariadb-server-core mariadb-client-core postgresql-17 postgresql-client-17
  layer golang golang-1.24-go golang-1.24-src
}

make_erp() {
  layer runtime libpython3.13-stdlib python3.13-minimal nodejs libnode115 nginx-common nginx git mariadb-client-core \
    postgresql-client-17 libpq5 libpango-1.0-0 libharfbuzz0b fonts-dejavu-core \
    fonts-liberation vim-runtime less nano
  bench=$work/bench/home/frappe/frappe-bench
  site_packages=$bench/env/lib/python3.13/site-packages
  mkdir -p "$site_packages"
  unpack env python3-babel python-babel-localedata python3-click python3-pil python3-cryptography python3-jinja2 python3-werkzeug \
    python3-bs4 python3-html5lib python3-lxml python3-ipython python3-ldap3 python3-openpyxl python3-xlsxwriter python3-passlib \
    python3-phonenumbers python3-psutil python3-psycopg2 python3-pymysql python3-pydantic python3-pydantic-core python3-redis \
    python3-hiredis python3-requests python3-rq python3-googleapi python3-google-auth python3-pandas python3-pandas-lib python3-numpy \
    weasyprint python3-fonttools python3-pycountry python3-websockets python3-num2words python3-git python3-pip \
    python3-setuptools python3-tz python3-dateutil python3-yaml python3-unidecode python3-holidays python3-pygments python3-cssutils \
    python3-sentry-sdk python3-oauthlib python3-rsa python3-xlrd python3-stripe python3-boto3 python3-botocore python3-pypdf
  mv "$work/env/usr/lib/python3/dist-packages"/* "$site_packages"
  rm -r "$work/env"
  node "$here/install-apps.ts" "$bench/apps"
  pack bench
  rm -r "$work/bench"
  layer mariadb mariadb-server-core mariadb-client-core
  layer redis redis-server redis-tools
}

# layer NAME PACKAGE…
layer() {
  unpack "$@"
  pack "$1"
  rm -rf "${work:?}/$1"
}

# unpack NAME PACKAGE…: into a folder of that name.
unpack() {
  name=$1
  shift
  mkdir -p "$work/debs-$name" "$work/$name"
  for package in "$@"; do
    # The benchmark does not hang on one package that has another name today.
    (cd "$work/debs-$name" && private_apt download "$package" >/dev/null 2>&1) || echo "no package $package" >&2
  done
  for deb in "$work/debs-$name"/*.deb; do dpkg-deb -x "$deb" "$work/$name"; done
  rm -rf "$work/debs-$name"
}

pack() {
  tar -C "$work/$1" --sort=name --clamp-mtime --mtime="@$release_epoch" --numeric-owner --exclude='./dev/*' --exclude='./proc/*' \
    --exclude='./sys/*' --exclude='./var/lib/apt/lists/*' --exclude='./var/cache/apt/*' -cf "$output/$1.tar" .
  ls -l "$output/$1.tar" >&2
}

main
