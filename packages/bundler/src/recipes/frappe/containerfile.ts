/** What a Containerfile takes, as far as the recipe can tell from its text. */
export interface ContainerfileForm {
  /** `RUN --mount=type=secret,id=apps_json`: frappe_docker since 2026. */
  takesSecret: boolean;
  /** `ARG APPS_JSON_BASE64`: frappe_docker before. */
  takesBase64: boolean;
  /** That argument would be in the history of the image that is built. */
  base64InHistory: boolean;
  /** `RUN --mount=type=secret,id=gitconfig`: credentials apart from the addresses. */
  takesGitConfig: boolean;
  /** It looks at `commit` of apps.json. */
  takesCommits: boolean;
  /** Names of all ARGs. */
  args: ReadonlySet<string>;
  /** Stages that mount the secret, by name; undefined stands for one without a name. */
  secretStages: (string | undefined)[];
}

interface Stage {
  name: string | undefined;
  from: string;
  text: string;
}

/** Reads a Containerfile (docs.docker.com/reference/dockerfile). */
export function containerfileForm(text: string, target: string | undefined): ContainerfileForm {
  const plain = text.replace(/^\s*#.*$/gm, "").replace(/\\\s*\n/g, " ");
  const stages = stagesOf(plain);
  const mounts = (id: string, within: string) => new RegExp(`--mount=[^\\s]*\\bid=${id}\\b`).test(within);
  const args = new Set(
    [...plain.matchAll(/^\s*ARG\s+(.+)$/gim)].flatMap(([, names = ""]) =>
      names.split(/\s+/).map((name) => name.replace(/=.*$/s, "")),
    ),
  );
  const declaresBase64 = (within: string) => /^\s*ARG\s+(?:.*\s)?APPS_JSON_BASE64\b/im.test(within);
  return {
    takesSecret: mounts("apps_json", plain),
    takesBase64: args.has("APPS_JSON_BASE64"),
    base64InHistory: chainOf(stages, target).some((stage) => declaresBase64(stage.text)),
    takesGitConfig: mounts("gitconfig", plain),
    takesCommits: /\bcommit\b/.test(plain),
    args,
    secretStages: stages.filter((stage) => mounts("apps_json", stage.text)).map(({ name }) => name),
  };
}

function stagesOf(text: string): Stage[] {
  const parts = text.split(/^(?=\s*FROM\s)/im).filter((part) => /^\s*FROM\s/i.test(part));
  return parts.map((part) => {
    const [, from = "", name] = /^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?/i.exec(part) ?? [];
    return { name: name?.toLowerCase(), from: from.toLowerCase(), text: part };
  });
}

/** The stage that is built, and those that it is built on: what its history tells. */
function chainOf(stages: readonly Stage[], target: string | undefined): Stage[] {
  const chain: Stage[] = [];
  let stage = target === undefined ? stages.at(-1) : stages.find(({ name }) => name === target.toLowerCase());
  while (stage !== undefined && !chain.includes(stage)) {
    chain.push(stage);
    const { from } = stage;
    stage = stages.find(({ name }) => name === from);
  }
  return chain;
}
