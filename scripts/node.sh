# Sourced by the scripts here: puts the project's own Node and pnpm first in PATH, whatever the machine has,
# and installs the workspace when it is not there yet. Needs npm, nothing else.
drybag_root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
drybag_toolchain=$drybag_root/.toolchain
drybag_node_version=24.21.0
drybag_pnpm_version=12.21.0

if ! command -v npm >/dev/null 2>&1; then
  echo "drybag: npm is missing; install it first (Debian: apt-get install npm git)" >&2
  exit 1
fi
if [ "$("$drybag_toolchain/node_modules/.bin/node" --version 2>/dev/null)" != "v$drybag_node_version" ] ||
  [ "$("$drybag_toolchain/node_modules/.bin/pnpm" --version 2>/dev/null)" != "$drybag_pnpm_version" ]; then
  echo "Installing Node $drybag_node_version and pnpm $drybag_pnpm_version into .toolchain" >&2
  npm install --no-audit --no-fund --no-save --loglevel=error --prefix "$drybag_toolchain" \
    "node@$drybag_node_version" "pnpm@$drybag_pnpm_version" >&2
fi
PATH=$drybag_toolchain/node_modules/.bin:$PATH
export PATH
if [ ! -e "$drybag_root/node_modules/.modules.yaml" ] ||
  [ "$drybag_root/pnpm-lock.yaml" -nt "$drybag_root/node_modules/.modules.yaml" ]; then
  (cd "$drybag_root" && pnpm install --frozen-lockfile --reporter=append-only >&2)
fi
