import { readFile } from "node:fs/promises";
import path from "node:path";
import type { ComposeBuild, ComposeModel } from "@drybag/docker";
import type { Position } from "../compose/compose-document.ts";
import { interpolate } from "../compose/interpolate.ts";
import type { ProjectConfig } from "../config/project-config.ts";
import type { ImageUse } from "./image-uses.ts";

export interface BuildBase {
  use: ImageUse;
  /** As it stands in the Dockerfile, arguments and all. */
  written: string;
  /** Absent for an inline Dockerfile. */
  position: Position | Record<never, never>;
}

/** Images that Dockerfiles of the project build on. Compose does not tell of them; the connected side needs them to build. */
export async function readBuildBases(model: ComposeModel): Promise<BuildBase[]> {
  const bases = await Promise.all(
    Object.entries(model.services ?? {}).map(async ([service, { build, profiles = [] }]) => {
      if (!build) return [];
      const file = dockerfileOf(build);
      const text = build.dockerfile_inline ?? (file && (await readFile(file, "utf8").catch(() => undefined)));
      return dockerfileImages(text ?? "", build).map(({ reference, written, line, column }) => ({
        use: { reference, kind: "build-base" as const, isBuilt: false, service, profiles },
        written,
        position: file === undefined || build.dockerfile_inline ? {} : { file, line, column },
      }));
    }),
  );
  return bases.flat();
}

/** Images that the builds of drybag.yaml build on; those that they make for each other are left out. */
export async function readDeclaredBases(config: ProjectConfig | undefined): Promise<BuildBase[]> {
  const { builds = [], frappe } = config ?? {};
  const all = [
    ...builds.map((build) => ({ build, args: build.args })),
    // What the recipe gives besides.
    ...(frappe
      ? [{ build: frappe.build, args: { FRAPPE_BRANCH: frappe.version.text, ...frappe.build.args } }]
      : []),
  ];
  const bases = await Promise.all(
    all.map(async ({ build: { file, needs }, args }) => {
      const text = await readFile(file, "utf8").catch(() => "");
      const local = Object.fromEntries(needs.map((need) => [need.text, need.text]));
      return dockerfileImages(text, { args, additional_contexts: local }).map(
        ({ reference, written, line, column }) => ({
          use: { reference, kind: "build-base" as const, isBuilt: false, service: undefined, profiles: [] },
          written,
          position: { file, line, column },
        }),
      );
    }),
  );
  return bases.flat();
}

function dockerfileOf({ context, dockerfile = "Dockerfile" }: ComposeBuild): string | undefined {
  if (context === undefined || !path.isAbsolute(context)) return undefined;
  return path.resolve(context, dockerfile);
}

export interface DockerfileImage {
  reference: string;
  /** With its arguments, `${NAME}`. */
  written: string;
  line: number;
  column: number;
}

/**
 * Images that a Dockerfile takes from outside: `FROM`, `COPY --from` and `RUN --mount=from`, arguments replaced, its own stages and
 * named contexts left out (docs.docker.com/reference/dockerfile).
 */
export function dockerfileImages(
  text: string,
  build: Pick<ComposeBuild, "args" | "additional_contexts">,
): DockerfileImage[] {
  const args: Record<string, string> = {};
  const local = new Set(["scratch", ...Object.keys(build.additional_contexts ?? {})]);
  const images: DockerfileImage[] = [];
  let beforeFirstStage = true;
  const add = (written: string, line: number, column: number) => {
    const reference = interpolate(written.replace(/^["']|["']$/g, ""), args);
    if (reference !== "" && !local.has(reference) && !/^\d+$/.test(reference))
      images.push({ reference, written, line, column });
  };
  for (const { line, text: instruction } of instructions(text)) {
    const [, keyword = "", rest = ""] = /^\s*([A-Za-z]+)\s+([\s\S]*)$/.exec(instruction) ?? [];
    if (/^arg$/i.test(keyword) && beforeFirstStage) {
      const [name = "", value = ""] = rest.trim().split(/=(.*)/s);
      args[name] = build.args?.[name] ?? value.replace(/^["']|["']$/g, "");
    }
    if (/^from$/i.test(keyword)) {
      beforeFirstStage = false;
      const match = /^((?:--\S+\s+)*)(\S+)(?:\s+as\s+(\S+))?/i.exec(rest);
      if (match?.[2]) add(match[2], line, instruction.length - rest.length + (match[1]?.length ?? 0) + 1);
      if (match?.[3]) local.add(match[3]);
    }
    if (/^(?:copy|add|run)$/i.test(keyword)) {
      for (const match of instruction.matchAll(/(?:--from=|--mount=\S*?\bfrom=)([^\s,]+)/g)) {
        add(match[1] ?? "", line, match.index + match[0].length - (match[1]?.length ?? 0) + 1);
      }
    }
  }
  return images;
}

/** Instructions with their first line; comments left out, continued lines joined. */
function instructions(text: string): { line: number; text: string }[] {
  const found: { line: number; text: string }[] = [];
  let open: { line: number; text: string } | undefined;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const continues = /[\\`]\s*$/.test(line);
    const content = continues ? line.replace(/[\\`]\s*$/, "") : line;
    if (open === undefined) open = { line: index + 1, text: content };
    else open.text += content;
    if (!continues) {
      found.push(open);
      open = undefined;
    }
  }
  return open === undefined ? found : [...found, open];
}
