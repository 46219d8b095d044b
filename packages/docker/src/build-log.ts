/** A step that ended a build. */
export interface FailedStep {
  /** As BuildKit shows it: `[builder 3/4] RUN bench init`. Undefined where it failed before any step. */
  step: string | undefined;
  /** What BuildKit says of it. */
  problem: string;
  /** The last lines that the step wrote. */
  output: string[];
}

interface Step {
  name: string;
  output: string[];
  state: "running" | "done" | "cached" | "failed";
  problem?: string;
}

const MOST_OUTPUT_LINES = 200;

/**
 * Reads `--progress=plain` of BuildKit line by line: `#5 [builder 2/4] RUN make`, `#5 0.31 gcc …`, `#5 DONE 1.2s`, `#5 CACHED`,
 * `#5 ERROR: …` (moby/buildkit, util/progress/progressui/printer.go). Exit codes decide; this tells people where.
 */
export class BuildLog {
  readonly #steps = new Map<string, Step>();
  #problem: string | undefined;
  readonly #last: string[] = [];

  /** Takes a line; returns what is going on, if the line tells: a step that begins, or what an instruction says. */
  add(line: string): string | undefined {
    keepLast(this.#last, line);
    const [, id, rest] = /^#(\d+) (.*)$/.exec(line) ?? [];
    if (id === undefined || rest === undefined) {
      this.#problem = /^ERROR: (.*)/.exec(line)?.[1] ?? this.#problem;
      return undefined;
    }
    const step = this.#steps.get(id);
    if (step === undefined) {
      this.#steps.set(id, { name: rest, output: [], state: "running" });
      return rest;
    }
    const failure = /^ERROR: (.*)/.exec(rest)?.[1];
    if (failure !== undefined) {
      step.state = "failed";
      step.problem = failure;
    } else if (/^DONE \d/.test(rest)) step.state = "done";
    else if (rest === "CACHED") step.state = "cached";
    else {
      const text = /^\d+\.\d+ ?(.*)$/.exec(rest)?.[1];
      if (text === undefined) return undefined;
      keepLast(step.output, text);
      const instruction = /^\[(?!internal\])[^\]]+\]/.exec(step.name)?.[0];
      return instruction && text.trim() !== "" ? `${instruction} ${text.trim()}` : undefined;
    }
    return undefined;
  }

  /** Instructions of Dockerfiles but FROM, which is no work, and how many of them were in the cache. */
  get steps(): { name: string; cached: boolean }[] {
    return [...this.#steps.values()]
      .filter(({ name }) => /^\[(?!internal\]|context )[^\]]*\] (?!FROM )/.test(name))
      .map(({ name, state }) => ({ name, cached: state === "cached" }));
  }

  /** Images from registries that stages began with, by reference: `docker.io/library/debian:12` to its digest. */
  get bases(): Map<string, string> {
    const found = new Map<string, string>();
    for (const { name } of this.#steps.values()) {
      const [, reference, digest] = /\bFROM (\S+?)@(sha256:[0-9a-f]{64})/.exec(name) ?? [];
      if (reference !== undefined && digest !== undefined) found.set(reference, digest);
    }
    return found;
  }

  /** After a client that failed. */
  get failure(): FailedStep {
    const failed = [...this.#steps.values()].filter(({ state }) => state === "failed");
    // What a failing step takes down with it is reported as failed too, without a word of its own.
    const step = failed.find(({ output }) => output.length > 0) ?? failed[0];
    return {
      step: step?.name,
      problem: step?.problem ?? this.#problem ?? "",
      output: step?.output ?? this.#last.filter((line) => !/^#\d+ /.test(line)),
    };
  }
}

function keepLast(lines: string[], line: string): void {
  if (line.trim() === "") return;
  lines.push(line);
  if (lines.length > MOST_OUTPUT_LINES) lines.shift();
}
