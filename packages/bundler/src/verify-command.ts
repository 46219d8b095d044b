import path from "node:path";
import { EXIT, type ExitCode } from "@drybag/errors";
import { carryFolderSizeBytes, findBundle, type OpenedBundle, verifyCarryFolder } from "@drybag/format";
import { printable, printableLine, type RunContext } from "@drybag/terminal";
import { readTrustedSigners } from "./bundle/open-carry-folder.ts";

export interface VerifyFlags {
  key?: string;
  allowedSigners?: string;
  media?: boolean;
  layers?: boolean;
}

/** `drybag verify`: every finding at once; exit code 5 when something is damaged or not signed as it must be. */
export async function verifyCommand(
  context: RunContext,
  flags: VerifyFlags,
  folder = ".",
): Promise<ExitCode> {
  const directory = path.resolve(context.cwd, folder);
  const trusted = await readTrustedSigners(context.cwd, [flags.key, flags.allowedSigners]);
  // What is missing or unreadable is told by verifying.
  const totalBytes = await findBundle(directory).then(carryFolderSizeBytes, () => undefined);
  const progress = context.progress(["verify"]);
  const { bundle, findings } = await progress.stage("verify", "Verify", (report) => {
    let doneBytes = 0;
    return verifyCarryFolder(directory, {
      signal: context.signal,
      ...(trusted && { trusted }),
      bypassCache: flags.media ?? false,
      unpackLayers: flags.layers ?? false,
      onBytes: (bytes) => {
        doneBytes += bytes;
        report.bytes(doneBytes, totalBytes === undefined ? undefined : Math.max(totalBytes, doneBytes));
      },
    });
  });
  await progress.close();
  const isRefused = findings.some((finding) => finding.severity === "error");
  if (context.json) {
    const { manifest, manifestSha256, signer } = bundle ?? {};
    const about = { id: manifestSha256, name: manifest?.name, version: manifest?.version };
    context.stdout.write(
      `${JSON.stringify({ whole: !isRefused, ...about, signer: signer ?? null, findings })}\n`,
    );
  } else {
    const lines = findings.map(
      ({ severity, message, remedy }) =>
        `${severity}: ${printableLine(message)}${remedy ? `\n  ${printable(remedy)}` : ""}`,
    );
    lines.push(...summary(bundle, isRefused, trusted !== undefined));
    context.stdout.write(`${lines.join("\n")}\n`);
  }
  return isRefused ? EXIT.damaged : EXIT.ok;
}

function summary(bundle: OpenedBundle | undefined, isRefused: boolean, isTrusted: boolean): string[] {
  const what = bundle ? `${bundle.manifest.name} ${bundle.manifest.version}` : "The bundle";
  if (isRefused) return [`${what} is damaged, or not what it should be.`];
  const { signer } = bundle ?? {};
  const trust = isTrusted ? "a key that you trust" : "check that it is a key that you trust: --key FILE";
  return [
    `${what} is whole: ${bundle?.manifestSha256}`,
    signer ? `signed by ${signer.fingerprint} (${signer.keyType}): ${trust}` : "not signed",
  ];
}
