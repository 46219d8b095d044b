// A git server for tests: `git http-backend` behind HTTP, with Basic auth for what lies below /private/.
// Usage: GIT_SERVER_TOKEN=TOKEN node git-server.mjs FOLDER PORT
import { spawn } from "node:child_process";
import { createServer } from "node:http";

const [folder, port] = process.argv.slice(2);
const token = process.env.GIT_SERVER_TOKEN;

createServer((request, response) => {
  const url = new URL(request.url, "http://localhost");
  const given = Buffer.from(
    (request.headers.authorization ?? "").replace(/^Basic /, ""),
    "base64",
  ).toString();
  if (url.pathname.startsWith("/private/") && !given.split(":").includes(token)) {
    response.writeHead(401, { "WWW-Authenticate": 'Basic realm="git"' }).end();
    return;
  }
  const backend = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: request.headers["git-protocol"] ?? "",
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  request.pipe(backend.stdin).on("error", () => {});
  // CGI: headers, an empty line, the body.
  let head = Buffer.alloc(0);
  backend.stdout.on("data", function onHead(chunk) {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    backend.stdout.off("data", onHead);
    const headers = head
      .subarray(0, end)
      .toString()
      .split("\r\n")
      .map((line) => line.split(/:\s*/, 2));
    const status = headers.find(([name]) => name === "Status")?.[1];
    response.writeHead(status === undefined ? 200 : Number.parseInt(status, 10), Object.fromEntries(headers));
    response.write(head.subarray(end + 4));
    backend.stdout.pipe(response);
  });
}).listen(Number(port), "0.0.0.0", () => console.log("listening"));
