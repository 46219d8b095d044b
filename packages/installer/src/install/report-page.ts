import { formatDuration, table } from "@drybag/terminal";
import type { Changes } from "./changes-since.ts";
import type { InstallReport } from "./install-report.ts";

const TRUST: Record<InstallReport["trust"], string> = {
  first: "seen here for the first time",
  same: "the key of this stack's bundles so far",
  new: "in place of the key before, by its fingerprint typed in",
  unsigned: "",
};

/** The report as a page of text, for an auditor: plain ASCII but for what the stack's own names hold. */
export function reportPage(report: InstallReport): string {
  const { operator, host, outcome } = report;
  const totalMs = Date.parse(report.endedAt) - Date.parse(report.startedAt);
  const sections: [heading: string, body: string][] = [
    [
      "Install",
      table([
        ["stack", report.name],
        ["release", report.release],
        ["before", report.previousRelease ?? "none"],
        ["folder", report.folder],
        [
          "outcome",
          outcome.state === "failed"
            ? `failed: ${outcome.message} [${outcome.code}]`
            : OUTCOME[outcome.state],
        ],
        ["began", report.startedAt],
        ["ended", `${report.endedAt} (${formatDuration(totalMs)})`],
      ]),
    ],
    [
      "By",
      table([
        ["user", `${operator.user} (uid ${operator.uid})`],
        ...(operator.sudoUser === null ? [] : [["sudo from", operator.sudoUser]]),
        ["host", operator.host],
        ["terminal", operator.terminal ?? "none"],
        ...(operator.from === null ? [] : [["from", operator.from]]),
        ["program", `drybag-site ${operator.program}`],
        ["engine", `Docker ${host.engine}, image store ${host.imageStore}`],
        ["compose", host.compose ?? "none"],
      ]),
    ],
    [
      "Verified",
      [
        table([
          ["manifest", `sha256:${report.manifestSha256}`],
          [
            "entries",
            `${report.verified.entries}, every byte of each compared with its sha256 in the manifest`,
          ],
          ["images", `${report.verified.images}, each inspected in the engine by its ID`],
          ["signed by", report.signer === null ? "nobody" : `${report.signer} (${TRUST[report.trust]})`],
        ]),
      ].join("\n"),
    ],
    ["Changed", describeChanges(report)],
    [
      "Images",
      table([
        ["IMAGE", "LOADED", "ID"],
        ...report.images.map(({ tag, id, loaded }) => [tag, loaded ? "now" : "was here", id]),
      ]),
    ],
    [
      "Health",
      report.services.length === 0
        ? "See the outcome above."
        : table([
            ["SERVICE", "STATE", "EXPECTED", "PORTS"],
            ...report.services.map(({ name, state, expected, ports }) => [
              name,
              state,
              expected,
              ports.join(", "),
            ]),
          ]),
    ],
    ...optional(
      "Checks",
      report.checks.map(({ name, state }) => [name, state]),
    ),
    ...optional(
      "Tasks",
      report.tasks.map(({ name, outcome, durationMs }) => [
        name,
        TASK_OUTCOME[outcome],
        formatDuration(durationMs),
      ]),
    ),
    [
      "Durations",
      table(Object.entries(report.durationsMs).map(([stage, ms]) => [stage, formatDuration(ms)])),
    ],
    [
      "Findings",
      report.findings.map(({ severity, code, message }) => `${severity}: ${message} [${code}]`).join("\n") ||
        "none",
    ],
  ];
  const title = `Drybag install report: ${report.name} ${report.version}`;
  return [
    title,
    "=".repeat(title.length),
    ...sections.map(([heading, body]) => `\n${heading}\n${"-".repeat(heading.length)}\n${body}`),
    "",
  ].join("\n");
}

const TASK_OUTCOME = {
  done: "done",
  "done-before": "done before",
  "not-needed": "not needed",
};

function optional(heading: string, rows: string[][]): [string, string][] {
  return rows.length === 0 ? [] : [[heading, table(rows)]];
}

const OUTCOME = {
  healthy: "installed and healthy",
  unchanged: "ran already as it should; nothing was started",
};

function describeChanges({ changes, previousRelease }: InstallReport): string {
  if (changes === null)
    return previousRelease === null ? "First install." : "The release before could not be read.";
  const lines = Object.entries(changes).flatMap(([what, each]) => describeEach(what, each));
  return lines.length === 0 ? "Nothing: the contents are those of the release before." : table(lines);
}

function describeEach(what: string, { added, removed, changed }: Changes): string[][] {
  return [
    ...added.map((name) => [what, "added", name]),
    ...removed.map((name) => [what, "removed", name]),
    ...changed.map((name) => [what, "changed", name]),
  ];
}
