import type { Finding } from "@drybag/errors";
import { type ImageReference, normalizeReference } from "@drybag/format";
import { serviceImage } from "../../images/image-uses.ts";
import type { LintProject } from "../lint-project.ts";
import type { LintService } from "../lint-service.ts";
import { mountPosition } from "../mounts.ts";
import { entryPosition, positionAt } from "../places.ts";
import { at, type Rule, servicesNamed, sharing } from "../rule.ts";

/** Images whose name does not say which image it is, or that a classic image store cannot keep under it. */
export const imageTags: Rule = {
  codes: ["moving-tag", "broad-tag", "digest-reference", "reference-invalid"],
  check: (project) => sharing(usesOf(project), (use) => use.reference).flatMap(judge),
};

interface Use {
  name: string;
  reference: string;
  position: Finding["position"];
}

function usesOf(project: LintProject): Use[] {
  return project.services.flatMap(([name, service]) => [
    ...runs(project, name, service),
    ...(service.volumes ?? []).flatMap((mount) =>
      mount.type === "image" && mount.source
        ? [{ name, reference: mount.source, position: mountPosition(project, name, mount) }]
        : [],
    ),
  ]);
}

function runs(project: LintProject, name: string, service: LintService): Use[] {
  // What is built here gets its name from us: a tag that moves is how it is meant.
  if (service.provider || service.build || !service.image) return [];
  const position = positionAt(project.graph, "services", name, "image");
  const hasPlaceholder = project.unknownVariables.some((variable) => isWrittenWith(project, name, variable));
  return hasPlaceholder
    ? []
    : [{ name, reference: serviceImage(project.model.name, name, service), position }];
}

function isWrittenWith(project: LintProject, service: string, variable: string): boolean {
  const position = entryPosition(
    project.graph,
    ["services", service, "image"],
    ({ written }) => written?.includes(variable) === true,
  );
  return position !== undefined;
}

function judge({ reference, names, position }: Use & { names: string[] }): Finding[] {
  const image = parse(reference);
  const whose = `of ${servicesNamed(names)}`;
  if (image === undefined) {
    return [
      {
        code: "reference-invalid",
        severity: "error",
        message: `'${reference}', the image ${whose}, is not an image name that Docker knows.`,
        remedy: "Write it as name:tag, and see that the variables in it have values.",
        ...at(position),
      },
    ];
  }
  if (image.digest !== undefined) {
    return [
      {
        code: "digest-reference",
        severity: "info",
        message: `'${image.familiar}', the image ${whose}, is named by its digest, which not every image store can keep.`,
        remedy: "Drybag gives it a tag of its own on site; nothing need be done.",
        ...at(position),
      },
    ];
  }
  const tag = image.tag ?? "latest";
  if (isMoving(tag)) {
    const isWritten = reference.endsWith(`:${tag}`);
    return [
      {
        code: "moving-tag",
        severity: "warning",
        message: isWritten
          ? `'${tag}' of '${reference}', the image ${whose}, names another image tomorrow.`
          : `'${reference}', the image ${whose}, has no tag: that is 'latest', another image tomorrow.`,
        remedy: "Name a version, so that packing again gives the same stack.",
        ...at(position),
      },
    ];
  }
  if (!isBroad(tag)) return [];
  return [
    {
      code: "broad-tag",
      severity: "info",
      message: `'${tag}' of '${reference}', the image ${whose}, moves with each minor version.`,
      remedy: "Name the minor version as well if packing again must give the same stack.",
      ...at(position),
    },
  ];
}

function parse(reference: string): ImageReference | undefined {
  try {
    return normalizeReference(reference);
  } catch {
    return undefined;
  }
}

const MOVING = new Set(
  "latest main master trunk head develop development dev devel edge nightly canary next stable testing unstable staging prod production release current lts mainline rolling snapshot beta alpha preview".split(
    " ",
  ),
);

/** `latest`, a branch, or a name without any version in it. */
export function isMoving(tag: string): boolean {
  if (/^(?:version|release|branch)[-_.]v?\d+$/i.test(tag)) return true;
  // A commit, a date, or a full version stays what it is.
  if (/^(?:sha-?)?[0-9a-f]{7,64}$/i.test(tag) || /\d+\.\d+|\d{6,}|[0-9a-f]{12,}|\d{4}-\d\d-\d\d/i.test(tag)) {
    return /^latest\b/i.test(tag);
  }
  if (!/\d/.test(tag)) return true;
  return tag.split(/[-_.]/).some((word) => MOVING.has(word.toLowerCase()));
}

/** Only a major version: `16`, `v3`, `8-jdk`. */
export function isBroad(tag: string): boolean {
  return /^v?\d{1,3}(?:-[a-z][a-z0-9.]*)*$/i.test(tag);
}
