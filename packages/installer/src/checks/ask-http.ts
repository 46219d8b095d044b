import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import type { Connect } from "./connect.ts";

export interface HttpAnswer {
  status: number;
  statusText: string;
  /** Its first MiB. */
  body: string;
}

const LONGEST_BODY_BYTES = 1024 * 1024;

/** One GET over a connection of its own; redirects are not followed. */
export async function askHttp(
  connection: Connect,
  { path, headers }: { path: string; headers: Record<string, string> },
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const stream = await connection.open();
  const asking = request({
    path,
    headers: { ...headers, Connection: "close" },
    signal,
    createConnection: () => stream,
  });
  asking.end();
  const [response] = (await once(asking, "response", { signal })) as [IncomingMessage];
  const body = await readBody(response);
  asking.destroy();
  return { status: response.statusCode ?? 0, statusText: response.statusMessage ?? "", body };
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes >= LONGEST_BODY_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, LONGEST_BODY_BYTES).toString("utf8");
}
