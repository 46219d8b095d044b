import type { Finding } from "@drybag/errors";
import { nearestName } from "@drybag/terminal";
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from "yaml";
import type { Position } from "../../compose/compose-document.ts";
import type { DeclaredFrappe } from "../../config/declared-builds.ts";
import type { Placed } from "../../config/project-config.ts";
import { readNamedFile } from "../../read-named-file.ts";
import type { PinnedApp } from "./pinned-app.ts";

export interface PinnedApps {
  /** The file that they are written in: apps.json, or drybag.yaml. */
  file: string;
  apps: PinnedApp[];
  /** What is wrong with its form; apps that cannot be read are left out. */
  findings: Finding[];
}

const KEYS = ["url", "tag", "branch", "commit"];
const COMMIT = /^[0-9a-f]{40}$/;

/** The apps that the recipe pins, with their places. Throws `file-missing`, `file-unreadable`. */
export async function readPinnedApps({ apps, version }: DeclaredFrappe): Promise<PinnedApps> {
  if ("apps" in apps) return { file: version.position.file, apps: apps.apps, findings: [] };
  return parseAppsFile(
    apps.file,
    await readNamedFile(apps.file, "The list of apps", "Check 'frappe.apps' of drybag.yaml."),
  );
}

/** Reads apps.json as frappe_docker has it: a list of `{"url": …, "branch": …}`, and of ours `tag` and `commit`. */
export function parseAppsFile(file: string, text: string): PinnedApps {
  const lineCounter = new LineCounter();
  const place = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset);
    return { file, line, column: col };
  };
  const document = parseDocument(text, {
    lineCounter,
    logLevel: "error",
    prettyErrors: false,
    uniqueKeys: false,
  });
  const notJson = jsonProblem(text);
  if (notJson !== undefined) {
    const offset = notJson.offset ?? document.errors[0]?.pos[0] ?? 0;
    return notAList(file, `This is not JSON: ${notJson.message}.`, place(offset));
  }
  const root = document.contents;
  if (!isSeq(root)) {
    return notAList(file, "This must be a list of apps.", place(root?.range?.[0] ?? 0));
  }
  const findings: Finding[] = [];
  const apps = (root.items as Node[]).flatMap((item) => readApp(item, place, findings) ?? []);
  return { file, apps, findings };
}

function notAList(file: string, message: string, position: Position): PinnedApps {
  const finding: Finding = {
    code: "apps-not-json",
    severity: "error",
    message,
    remedy: 'Write a list such as [{"url": "https://github.com/frappe/erpnext", "branch": "v15.88.1"}].',
    position,
  };
  return { file, apps: [], findings: [finding] };
}

/** JSON.parse says what is wrong; its message has the offset, but for an end that comes too early. */
function jsonProblem(text: string): { message: string; offset: number | undefined } | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const at = /at position (\d+)/.exec(message)?.[1];
    const offset = at === undefined ? firstWrong(text) : Number(at);
    // The rest quotes the file, which may hold a token.
    return { message: message.replace(/,? (?:"|\.\.\.|in JSON|at position|is not valid).*$/s, ""), offset };
  }
}

/** Of an unexpected character in a short text, Node does not say where: it is the end of the shortest beginning that has it. */
function firstWrong(text: string): number {
  const end = text.trimEnd().length;
  for (let length = 1; length <= Math.min(end, 1000); length += 1) {
    try {
      JSON.parse(text.slice(0, length));
    } catch (error) {
      if (String(error).endsWith("is not valid JSON")) return length - 1;
    }
  }
  return end;
}

function readApp(
  item: Node,
  place: (offset: number) => Position,
  findings: Finding[],
): PinnedApp | undefined {
  const position = place(item.range?.[0] ?? 0);
  const refuse = (message: string, at: Position, remedy: string) => {
    findings.push({ code: "apps-entry", severity: "error", message, remedy, position: at });
    return undefined;
  };
  if (!isMap(item)) return refuse("An app must be an object with 'url' and 'branch'.", position, EXAMPLE);
  const values = new Map<string, Placed>();
  let isReadable = true;
  for (const { key, value } of item.items as YAMLMap<Node, Node | null>["items"]) {
    const name = isScalar(key) ? String(key.value) : "";
    const at = place(key.range?.[0] ?? 0);
    if (!KEYS.includes(name)) {
      findings.push(unknownKey(name, at));
    } else if (!isScalar(value) || typeof value.value !== "string" || value.value === "") {
      isReadable = false;
      refuse(`'${name}' of an app must be text.`, place(value?.range?.[0] ?? 0), EXAMPLE);
    } else if (values.has(name)) {
      isReadable = false;
      refuse(`'${name}' stands in this app twice.`, at, "Take one of them out.");
    } else {
      values.set(name, { text: value.value, position: place(value.range?.[0] ?? 0) });
    }
  }
  const url = values.get("url");
  const commit = values.get("commit");
  if (!isReadable) return undefined;
  if (url === undefined) return refuse("This app has no 'url'.", position, EXAMPLE);
  if (commit !== undefined && !COMMIT.test(commit.text)) {
    return refuse(
      "A commit is written as 40 digits 0-9a-f.",
      commit.position,
      "'git ls-remote <url>' shows them.",
    );
  }
  const refs = (["tag", "branch"] as const).flatMap((key) => {
    const found = values.get(key);
    return found === undefined ? [] : [{ key, ...found }];
  });
  return { url, refs, commit, position };
}

const EXAMPLE = 'Write it as {"url": "https://github.com/frappe/erpnext", "branch": "v15.88.1"}.';

function unknownKey(name: string, position: Position): Finding {
  const meant = nearestName(name, KEYS);
  return {
    code: "apps-unknown-key",
    severity: "error",
    message: `An app has no '${name}'; there are ${KEYS.join(", ")}.`,
    remedy: meant === undefined ? "Take it out." : `Did you mean '${meant}'?`,
    position,
  };
}
