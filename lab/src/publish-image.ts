import type { Engine } from "./engine/engine.ts";
import { LabError } from "./lab-error.ts";
import { registryAddress } from "./registry.ts";
import { runCommand } from "./run-command.ts";

/**
 * Puts an image of the connected engine into the registry that stands in for Docker Hub, under the same name, so that
 * `docker pull NAME` is a real pull. The image itself stays; the extra tag does not.
 * @throws LabError `lab-publish` for a name that Docker would not look for on Docker Hub.
 */
export async function publishImage(engine: Engine, reference: string, signal?: AbortSignal): Promise<void> {
  const target = planMirrorReference(reference);
  const docker = (doing: string, ...args: string[]) =>
    runCommand("docker", args, { doing, code: "lab-publish", env: engine.env, signal });
  await docker(`tag ${reference}`, "image", "tag", reference, target);
  try {
    await docker(`push ${reference} into the lab's registry`, "push", "--quiet", target);
  } finally {
    // Not under the caller's signal: a cancelled push must not leave the tag either.
    await runCommand("docker", ["image", "rm", target], {
      doing: `untag ${target}`,
      code: "lab-publish",
      env: engine.env,
    });
  }
}

/** The name under which the mirror of Docker Hub is asked for an image: `redis:8` is `library/redis:8` there. */
export function planMirrorReference(reference: string): string {
  const [, name = "", tag = "latest"] = /^(.+?)(?::([\w][\w.-]{0,127}))?$/.exec(reference) ?? [];
  if (reference === "" || name.includes("@") || reference.includes("@")) {
    throw new LabError("lab-publish", `cannot publish ${reference || "an empty name"}`, {
      hint: "give a name and a tag",
    });
  }
  const path = name.replace(/^(?:index\.)?docker\.io\//, "");
  const [first = "", ...rest] = path.split("/");
  if (rest.length > 0 && /[.:]|^localhost$/.test(first)) {
    throw new LabError(
      "lab-publish",
      `cannot publish ${reference}: the registry stands in for Docker Hub only`,
      {
        hint: "use a name without a registry host",
      },
    );
  }
  return `${registryAddress}/${rest.length === 0 ? `library/${path}` : path}:${tag}`;
}
