#!/bin/sh
# Installs the Drybag bundle in this folder:
#
#     sh install.sh [OPTIONS]              install it, e.g. sh install.sh --yes
#     sh install.sh COMMAND [OPTIONS]      another command of the installer, e.g. verify, status
#     sh install.sh --help                 all commands and options
#
# Works from a stick that is read-only, from which nothing may be executed and that knows no permissions: it copies the
# installer to a folder of the server where programs may run, checks it there, runs it, and removes it again. The bundle itself
# stays on the stick; the installer reads and checks it. DRYBAG_TMP=FOLDER says where to put the installer. DRYBAG_KEY=FILE, a
# public SSH key, runs the installer only if that key signed it; this needs ssh-keygen, and an install.sh that you trust.
#
# Exit codes are those of the installer; 5: damaged or incomplete copy, 6: this server lacks something, 130: interrupted.

# All in functions, called from the last line: a copy of this file that was cut short does nothing.

DAMAGED=5
HOST=6
INTERRUPTED=130

main() {
  set -u
  # The installer gets back the umask that it was started with: others have to read what it places.
  caller_umask=$(umask)
  umask 077
  : "${PATH:=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}"
  export PATH

  folder=$(carry_folder) || die $DAMAGED "cannot enter the folder of $0" "plug the stick in again"
  installer=$(installer_for_this_machine) || exit $?
  require_tools

  temp=
  trap 'clean_up' EXIT
  trap 'exit $INTERRUPTED' HUP INT TERM

  # For the installer's hints.
  case $0 in
    *[!A-Za-z0-9_./-]*) DRYBAG_CALLED_AS="sh '$0'" ;;
    *) DRYBAG_CALLED_AS="sh $0" ;;
  esac
  export DRYBAG_CALLED_AS

  say "checking and unpacking the installer"
  find_place
  sums=$folder/SHA256SUMS
  [ -z "${DRYBAG_KEY-}" ] || check_signature
  copy_installer
  check_copy "$installer" "$temp/installer"
  check_copy install.sh "$folder/install.sh"
  unpack_installer
  require_start

  case ${1-} in
    install | verify | preflight)
      command=$1
      shift
      run_installer "$command" "$folder" "$@"
      ;;
    -h | --help | -V | --version | [!-]*)
      run_installer "$@"
      ;;
    *)
      run_installer install "$folder" "$@"
      ;;
  esac
}

carry_folder() {
  case $0 in
    */*) CDPATH='' cd -- "${0%/*}" && pwd ;;
    *) pwd ;;
  esac
}

installer_for_this_machine() {
  machine=$(uname -m)
  case $machine in
    x86_64 | amd64) architecture=amd64 ;;
    aarch64 | arm64) architecture=arm64 ;;
    *) architecture=$machine ;;
  esac
  for name in "drybag-site-linux-$architecture.gz" "drybag-site-linux-$architecture"; do
    if [ -f "$folder/$name" ]; then
      echo "$name"
      return
    fi
  done
  others=
  for file in "$folder"/drybag-site-linux-*; do
    [ -f "$file" ] || continue
    other=${file##*/drybag-site-linux-}
    others="${others:+$others, }${other%.gz}"
  done
  [ -n "$others" ] || die $DAMAGED "there is no installer in $folder" "copy the whole carry folder again"
  case $architecture in
    amd64 | arm64) remedy="pack it with --platform linux/$architecture" ;;
    *) remedy="installers exist for amd64 and arm64 only" ;;
  esac
  die $HOST "this server is $architecture, the bundle is for $others" "$remedy"
}

require_tools() {
  for tool in sha256sum mktemp cat chmod rm; do
    command -v "$tool" >/dev/null 2>&1 ||
      die $HOST "the program $tool is missing" "install the package coreutils (or busybox)"
  done
  case $installer in
    *.gz)
      command -v gzip >/dev/null 2>&1 || die $HOST "the program gzip is missing" "install the package gzip"
      ;;
  esac
}

# Sets $temp: a private folder where programs may run and the installer fits.
find_place() {
  needed_kib=$(estimate_kib)
  refused=
  if [ -n "${DRYBAG_TMP-}" ]; then
    try_place "$DRYBAG_TMP" && return
    die $HOST "DRYBAG_TMP cannot be used:$refused" "name another folder"
  fi
  for place in "${TMPDIR-}" /var/tmp /tmp /var/lib /opt "${HOME-}" /run; do
    [ -n "$place" ] || continue
    try_place "$place" && return
  done
  die $HOST "no folder can take the installer:$refused" \
    "free $((needed_kib / 1024)) MiB, or name a folder: DRYBAG_TMP=FOLDER sh install.sh"
}

# The compressed copy, the installer (about three times as large) and some room.
estimate_kib() {
  # shellcheck disable=SC2012 # one known file; find(1) and stat(1) have no portable way to print a size
  size=$(ls -ln "$folder/$installer" | {
    read -r _mode _links _user _group size _rest
    echo "$size"
  })
  case $size in
    '' | *[!0-9]*) size=52428800 ;;
  esac
  case $installer in
    *.gz) echo $((size * 4 / 1024 + 8192)) ;;
    *) echo $((size / 1024 + 8192)) ;;
  esac
}

try_place() {
  if ! [ -d "$1" ]; then
    refuse "$1" "is no folder"
  elif ! temp=$(mktemp -d "${1%/}/drybag-XXXXXX" 2>/dev/null); then
    temp=
    refuse "$1" "is not writable"
  elif ! runs_programs "$temp"; then
    refuse "$1" "does not run programs (noexec)"
  elif ! has_room "$temp"; then
    refuse "$1" "has too little free space"
  else
    return 0
  fi
  return 1
}

refuse() {
  refused="$refused
  $1 $2"
  [ -z "$temp" ] || rm -rf "$temp"
  temp=
}

runs_programs() {
  printf '#!/bin/sh\nexit 0\n' >"$1/probe" 2>/dev/null && chmod 700 "$1/probe" && "$1/probe" 2>/dev/null
}

has_room() {
  free_kib=$(df -Pk "$1" 2>/dev/null | {
    read -r _header
    read -r _device _size _used free _rest
    echo "${free-}"
  })
  case $free_kib in
    # Where df cannot tell, writing will.
    '' | *[!0-9]*) return 0 ;;
  esac
  [ "$free_kib" -ge "$needed_kib" ]
}

# What is checked has to be what runs: so the copy is checked, and the stick is read once.
copy_installer() {
  cat <"$folder/$installer" >"$temp/installer" ||
    die $DAMAGED "cannot copy $installer to $temp" "look at the message above; try another stick or port"
}

# Everything is compared with SHA256SUMS, so that is what has to be signed; the copy that was checked is the one that is used.
check_signature() {
  command -v ssh-keygen >/dev/null 2>&1 ||
    die $HOST "DRYBAG_KEY needs the program ssh-keygen, which is missing" "install the package openssh-client, or leave out DRYBAG_KEY"
  [ -r "$DRYBAG_KEY" ] || die $HOST "the key $DRYBAG_KEY cannot be read" "name a public key: DRYBAG_KEY=FILE sh install.sh"
  while read -r type key _comment; do
    case $type in
      ssh-* | sk-* | ecdsa-*) echo "drybag $type $key" ;;
    esac
  done <"$DRYBAG_KEY" >"$temp/signers"
  [ -s "$temp/signers" ] || die $HOST "$DRYBAG_KEY holds no public key" "name a file such as id_ed25519.pub"
  [ -f "$folder/SHA256SUMS.sig" ] ||
    die $DAMAGED "the bundle is not signed: there is no SHA256SUMS.sig" "ask for a signed one, or leave out DRYBAG_KEY"
  sums=$temp/SHA256SUMS
  cat <"$folder/SHA256SUMS" >"$sums" || die $DAMAGED "SHA256SUMS cannot be read" "copy the carry folder again"
  why=$(ssh-keygen -Y verify -f "$temp/signers" -I drybag -n drybag -s "$folder/SHA256SUMS.sig" <"$sums" 2>&1) ||
    die $DAMAGED "SHA256SUMS is not signed by the key in $DRYBAG_KEY: $why" "do not install this bundle; ask who made it"
}

# check_copy NAME FILE: FILE has the checksum that SHA256SUMS gives for NAME.
check_copy() {
  wanted=$(checksum_of "$1")
  [ -n "$wanted" ] || die $DAMAGED "SHA256SUMS is missing or lacks $1" "copy the carry folder again"
  found=$(sha256sum <"$2") || die $DAMAGED "cannot read $2" "try another stick or port"
  [ "${found%% *}" = "$wanted" ] ||
    die $DAMAGED "$1 is damaged: wrong checksum" "copy it again from where it was packed"
}

checksum_of() {
  [ -r "$sums" ] || return 0
  carriage_return=$(printf '\r')
  while read -r sum name; do
    name=${name#\*}
    if [ "${name%"$carriage_return"}" = "$1" ]; then
      echo "$sum"
      return
    fi
  done <"$sums"
}

unpack_installer() {
  case $installer in
    *.gz)
      gzip -dc <"$temp/installer" >"$temp/drybag-site" ||
        die $HOST "cannot unpack the installer in $temp" "look at the message above; is the disk full?"
      rm -f "$temp/installer"
      ;;
    *) mv "$temp/installer" "$temp/drybag-site" ;;
  esac
  chmod 700 "$temp/drybag-site"
}

require_start() {
  why=$("$temp/drybag-site" --version 2>&1 >/dev/null) ||
    die $HOST "the installer does not start on this server:
  ${why:-it gave no reason}" "it needs Linux with glibc 2.28 or newer: Debian 10, RHEL 8 and later"
}

# Runs the installer with our terminal and waits for it, whatever happens: it has to bring the server into a known state. A
# shell tells of a signal at once only while it waits for a command in the background, hence the &.
run_installer() {
  umask "$caller_umask"
  child=
  signalled=
  trap 'pass_on HUP' HUP
  trap 'pass_on INT' INT
  trap 'pass_on TERM' TERM
  exec 3<&0
  "$temp/drybag-site" "$@" <&3 3<&- &
  child=$!
  exec 3<&-
  [ -z "$signalled" ] || kill -s "$signalled" "$child" 2>/dev/null
  status=$INTERRUPTED
  while :; do
    signalled=
    wait "$child"
    latest=$?
    # 127: the status was told before, when the signal came together with the end.
    [ "$latest" -eq 127 ] || status=$latest
    [ -n "$signalled" ] || break
  done
  exit "$status"
}

# From a terminal the installer has had Ctrl-C already; it takes the two for one.
# shellcheck disable=SC2317 # called by traps
pass_on() {
  signalled=$1
  [ -z "$child" ] || kill -s "$1" "$child" 2>/dev/null
}

# shellcheck disable=SC2317 # called by a trap
clean_up() {
  [ -z "$temp" ] || rm -rf "$temp"
}

# Only for a person: stderr is the installer's own in scripts.
say() {
  [ ! -t 2 ] || echo "install.sh: $1" >&2
}

# die EXIT-CODE WHAT REMEDY
die() {
  echo "install.sh: $2" >&2
  echo "  -> $3" >&2
  exit "$1"
}

main "$@"
