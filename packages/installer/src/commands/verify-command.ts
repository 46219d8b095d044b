import { resolve } from "node:path";
import { EXIT, type ExitCode, type Finding } from "@drybag/errors";
import { verifyCarryFolder } from "@drybag/format";
import { printable, printableLine, type RunContext } from "@drybag/terminal";

/** Reads everything in the carry folder once and lists all that is wrong. Exit code 5 when something is damaged. */
export async function verifyCommand(
  context: RunContext,
  _flags: object,
  carryFolder = ".",
): Promise<ExitCode> {
  const progress = context.progress(["verify"]);
  const { bundle, findings } = await progress.stage(
    "verify",
    "Read and verify everything",
    (report) => {
      let doneBytes = 0;
      return verifyCarryFolder(resolve(context.cwd, carryFolder), {
        signal: context.signal,
        onBytes: (bytes) => {
          doneBytes += bytes;
          report.bytes(doneBytes);
        },
      });
    },
    (verified) => (hasErrors(verified.findings) ? "damaged" : "as it was packed"),
  );
  await progress.close();

  const isDamaged = hasErrors(findings);
  if (context.json) {
    const { name, version } = bundle?.manifest ?? {};
    const signer = bundle?.signer?.fingerprint ?? null;
    const result = {
      ok: !isDamaged,
      name,
      version,
      manifestSha256: bundle?.manifestSha256,
      signer,
      findings,
    };
    context.stdout.write(`${JSON.stringify(result)}\n`);
  } else {
    const lines = findings.map(
      ({ severity, message, remedy }) =>
        `${severity}: ${printableLine(message)}${remedy ? `\n  ${printable(remedy)}` : ""}`,
    );
    const what = bundle ? `${bundle.manifest.name} ${bundle.manifest.version}` : "The bundle";
    lines.push(isDamaged ? `${what} is damaged.` : `${what} is as it was packed: ${bundle?.manifestSha256}`);
    if (bundle) lines.push(`Signed by ${bundle.signer?.fingerprint ?? "nobody"}.`);
    context.stdout.write(`${lines.join("\n")}\n`);
  }
  return isDamaged ? EXIT.damaged : EXIT.ok;
}

function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some(({ severity }) => severity === "error");
}
