import { Duplex } from "node:stream";
import type { DockerContext, RunOptions } from "./run-docker.ts";
import { startClient } from "./run-streaming.ts";

/** A connection into a container's own network, through a program that the image happens to have; see `RELAY`. */
export function connectInContainer(
  context: DockerContext,
  container: string,
  port: number,
  options: RunOptions = {},
): { connection: Duplex; done: Promise<{ exitCode: number | undefined; stderr: string }> } {
  const client = startClient(
    context,
    ["exec", "--interactive", container, "sh", "-c", RELAY, "sh", String(port)],
    options,
  );
  client.stdin.on("error", () => undefined);
  const connection = Duplex.from({ writable: client.stdin, readable: client.stdout });
  connection.on("error", () => undefined);
  const done = client.then(({ exitCode, stderr }) => ({ exitCode, stderr }));
  return { connection, done };
}

/** The exit code of `RELAY` where the image has none of these programs. */
export const NO_RELAY = 96;

/** Passes bytes between stdin, stdout and a port of 127.0.0.1. */
const RELAY = `
if command -v python3 >/dev/null; then exec python3 -c '
import socket, sys, threading
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
def send():
    for b in iter(lambda: sys.stdin.buffer.read1(65536), b""): s.sendall(b)
threading.Thread(target=send, daemon=True).start()
for b in iter(lambda: s.recv(65536), b""): sys.stdout.buffer.write(b); sys.stdout.buffer.flush()
' "$1"
elif command -v node >/dev/null; then exec node -e '
const s = require("net").connect('"$1"', "127.0.0.1");
s.on("error", (e) => { console.error(e.message); process.exit(1); });
process.stdin.pipe(s).pipe(process.stdout); s.on("close", () => process.exit(0));
'
elif command -v bash >/dev/null; then exec bash -c '
exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
cat >&3 & cat <&3
' bash "$1"
elif command -v nc >/dev/null; then exec nc 127.0.0.1 "$1"
elif command -v socat >/dev/null; then exec socat - "TCP:127.0.0.1:$1"
else exit ${NO_RELAY}
fi`;
