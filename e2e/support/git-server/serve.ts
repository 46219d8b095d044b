/**
 * Serves the git repositories of a folder over HTTP, through git-http-backend(1): `serve.ts FOLDER [ADDRESS [PORT]]`, on loopback
 * and a free port unless told. Those below `private/` want the password in GIT_SERVER_PASSWORD. Prints its port.
 */
import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const [folder = ".", address = "127.0.0.1", port = "0"] = process.argv.slice(2);
const password = process.env.GIT_SERVER_PASSWORD ?? "";

const server = createServer((request, response) => {
  if (isAllowed(request)) return serve(request, response);
  response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
});
server.listen(Number(port), address, () => console.log((server.address() as AddressInfo).port));

function isAllowed({ url = "", headers }: IncomingMessage): boolean {
  if (!url.startsWith("/private/")) return true;
  const [, encoded = ""] = /^Basic (.*)$/.exec(headers.authorization ?? "") ?? [];
  return Buffer.from(encoded, "base64").toString().split(":").includes(password);
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  const [path = "", query = ""] = (request.url ?? "").split("?");
  const git = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: "1",
      REQUEST_METHOD: request.method,
      PATH_INFO: decodeURIComponent(path),
      QUERY_STRING: query,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: String(request.headers["content-encoding"] ?? ""),
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  request.pipe(git.stdin).on("error", () => {});
  const chunks: Buffer[] = [];
  git.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  git.on("close", () => {
    const answer = Buffer.concat(chunks);
    const end = answer.indexOf("\r\n\r\n");
    const headers = answer
      .subarray(0, end)
      .toString()
      .split("\r\n")
      .map((line) => line.split(/:\s*(.*)/s));
    const status = headers.find(([name]) => name?.toLowerCase() === "status")?.[1] ?? "200";
    response.statusCode = Number.parseInt(status, 10);
    for (const [name, value] of headers) if (name && value) response.setHeader(name, value);
    response.end(answer.subarray(end + 4));
  });
}
