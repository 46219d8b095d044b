// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose syntax
import { expect, test } from "vitest";
import { lintFiles, places } from "../testing/lint-files.ts";
import { certificates } from "./certificates.ts";

const service = (...lines: string[]) => `services:\n  s:\n${lines.map((line) => `    ${line}\n`).join("")}`;

test.each([
  [
    [
      "image: traefik:v3.6",
      "command:",
      "  - --entrypoints.web.address=:80",
      "  - --certificatesResolvers.le.acme.email=a@b.c",
      "  - --certificatesResolvers.le.acme.storage=/a",
    ],
    "6:9",
  ],
  [
    [
      "image: a:1.0",
      "labels:",
      "  - traefik.enable=true",
      "  - traefik.http.routers.${R:?}.tls.certresolver=le",
    ],
    "6:9",
  ],
  [["image: a:1.0", "environment: {LETSENCRYPT_HOST: a.example.com}"], "4:37"],
  [["image: nginxproxy/acme-companion:2.5"], "3:12"],
  [["image: certbot/certbot:v3.0.0", "command: certonly"], "3:12"],
])("%j", async (lines, place) => {
  expect(places(await lintFiles(certificates, service(...lines)))).toEqual([
    `compose.yaml:${place} warning certificate-from-internet`,
  ]);
});

test("certificates that are there are fine", async () => {
  const text = service(
    "image: nginx:1.27",
    "command: nginx -c /etc/letsencrypt/nginx.conf",
    "environment: {LETSENCRYPT_HOST: '', TLS_CERT: /certs/a.pem}",
    "labels: {traefik.http.routers.a.tls: 'true'}",
  );
  expect(await lintFiles(certificates, text)).toEqual([]);
});
