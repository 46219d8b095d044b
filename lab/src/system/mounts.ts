import { readFile } from "node:fs/promises";
import { LabError } from "../lab-error.ts";
import { runCommand } from "../run-command.ts";

/** Unmounts all below a folder, newest first, and lazily: whoever used them is dead already. */
export async function unmountBelow(folder: string, findUmount: () => Promise<string>): Promise<void> {
  for (const mount of (await mountsBelow(folder)).reverse()) {
    await runCommand(await findUmount(), ["--lazy", mount], { doing: `unmount ${mount}`, code: "lab-stop" });
  }
  const left = await mountsBelow(folder);
  if (left.length === 0) return;
  // Deleting the folder now would delete what is mounted there.
  throw new LabError("lab-stop", `still mounted: ${left.join(", ")}`, { hint: "unmount it, then try again" });
}

export async function mountsBelow(folder: string): Promise<string[]> {
  const mounts = parseMountInfo(await readFile("/proc/self/mountinfo", "utf8"));
  return mounts.filter((mount) => mount === folder || mount.startsWith(`${folder}/`));
}

/** Mount points in the order they were mounted in; see proc(5). Spaces and the like are written in octal. */
export function parseMountInfo(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => (line.split(" ")[4] ?? "").replace(/\\([0-7]{3})/g, (_, octal) => unescapeOctal(octal)));
}

function unescapeOctal(octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8));
}
