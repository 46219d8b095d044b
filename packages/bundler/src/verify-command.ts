import path from "node:path";
import { EXIT, type ExitCode } from "@drybag/errors";
import { verifyCarryFolder } from "@drybag/format";
import type { RunContext } from "@drybag/terminal";

/** `drybag verify`: every finding at once; exit code 5 when something is damaged. */
export async function verifyCommand(context: RunContext, _flags: object, folder = "."): Promise<ExitCode> {
  const progress = context.progress(["verify"]);
  const { bundle, findings } = await progress.stage("verify", "Verify", (report) => {
    let doneBytes = 0;
    return verifyCarryFolder(path.resolve(context.cwd, folder), {
      signal: context.signal,
      onBytes: (bytes) => {
        doneBytes += bytes;
        report.bytes(doneBytes);
      },
    });
  });
  await progress.close();
  const isDamaged = findings.some((finding) => finding.severity === "error");
  if (context.json) {
    context.stdout.write(`${JSON.stringify({ whole: !isDamaged, id: bundle?.manifestSha256, findings })}\n`);
  } else {
    const lines = findings.map(
      (finding) => `${finding.severity}: ${finding.message}${finding.remedy ? `\n  ${finding.remedy}` : ""}`,
    );
    const what = bundle ? `${bundle.manifest.name} ${bundle.manifest.version}` : "The bundle";
    lines.push(isDamaged ? `${what} is damaged.` : `${what} is whole: ${bundle?.manifestSha256}`);
    context.stdout.write(`${lines.join("\n")}\n`);
  }
  return isDamaged ? EXIT.damaged : EXIT.ok;
}
