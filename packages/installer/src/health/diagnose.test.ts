import { expect, test } from "vitest";
import { diagnose } from "./diagnose.ts";

test.each([
  ["exec /bin/server: exec format error", "another processor"],
  ["Error response from daemon: No such image: a:1", "image is not on this server"],
  ["failed to bind host port for 0.0.0.0:80: address already in use", "port is taken"],
  ["write /var/lib/x: no space left on device", "disk is full"],
  ['Conflict. The container name "/db" is already in use by container "…"', "another container has the name"],
  ["psycopg2: could not translate host name: Temporary failure in name resolution", "name could not be"],
  ["ping: bad address 'db'", "name could not be"],
  ["/entrypoint.sh: 3: cannot create /data/x: Permission denied", "may not read or write"],
  ["sh: exec: line 0: /missing: not found\nsh: again", "is not there"],
  ["Can't connect to MySQL server on 'db'", "did not answer"],
])("%j", (text, cause) => {
  expect(diagnose(text)?.cause).toContain(cause);
});

test("nothing is made up", () => {
  expect(diagnose("Traceback (most recent call last): ValueError")).toBeUndefined();
});
