import { nearestName } from "@drybag/terminal";
import type { z } from "zod";
import type { ConfigDocument, Mistake, ValuePath } from "./config-document.ts";
import { type ConfigFile, configSchema, jsonSchema } from "./config-schema.ts";

/** What drybag.yaml says, or all that is wrong with its form. */
export function checkForm(
  document: ConfigDocument,
): { config: ConfigFile; mistakes: [] } | { mistakes: Mistake[] } {
  const parsed = configSchema.safeParse(document.value ?? {});
  if (parsed.success) return { config: parsed.data, mistakes: [] };
  return { mistakes: parsed.error.issues.slice(0, MOST_ISSUES).flatMap((issue) => explain(document, issue)) };
}

/** More than anybody is shown. */
const MOST_ISSUES = 100;

type Issue = z.core.$ZodIssue;

function explain(document: ConfigDocument, issue: Issue): Mistake[] {
  const path = issue.path as ValuePath;
  const within = issue.code === "invalid_union" ? issuesWithin(issue) : [];
  if (within.length > 0) return within.flatMap((each) => explain(document, each));
  if (issue.code === "unrecognized_keys") {
    return issue.keys.slice(0, MOST_ISSUES).map((key) => ({
      position: document.positionOfKey(path, key),
      message: unknownKey(path, key),
    }));
  }
  if (issue.code === "invalid_key") {
    const key = String(path.at(-1));
    const position = document.positionOfKey(path.slice(0, -1), key);
    return [{ position, message: `'${key}' ${issue.issues[0]?.message}` }];
  }
  return [{ position: document.positionOf(path), message: `${nameOf(path)} ${problem(document, issue)}` }];
}

function problem(document: ConfigDocument, issue: Issue): string {
  const path = issue.path as ValuePath;
  if (issue.code === "invalid_type")
    return `must be ${kind(issue.expected)}${quoteIt(document, path, issue.expected)}`;
  if (issue.code === "invalid_union") return unionProblem(issue);
  if (issue.code === "invalid_value") {
    const values = issue.values.map(String);
    const meant = nearestName(document.textOf(path) ?? "", values);
    return `must be one of ${values.join(", ")}${meant === undefined ? "" : `; did you mean '${meant}'?`}`;
  }
  return issue.message;
}

/** Text of a certain form, or anything that YAML takes for a number or a truth value. */
function unionProblem(issue: Extract<Issue, { code: "invalid_union" }>): string {
  const formIssue = issue.errors.flat().find(({ code }) => code !== "invalid_type");
  const takesList = issue.errors.some((errors) =>
    errors.some((error) => error.code === "invalid_type" && error.expected === "array"),
  );
  return formIssue?.message ?? (takesList ? "must be text or a list" : "must be text");
}

/** Of a list or mapping that is of the right kind, what is wrong inside it. */
function issuesWithin(issue: Extract<Issue, { code: "invalid_union" }>): Issue[] {
  const inside = issue.errors.find(
    (issues) => issues.length > 0 && issues.every((each) => each.path.length > 0),
  );
  return (inside ?? []).map((each) => ({ ...each, path: [...issue.path, ...each.path] }));
}

const KINDS: Record<string, string> = {
  string: "text",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  record: "a mapping",
};

function kind(expected: string): string {
  return KINDS[expected] ?? expected;
}

/** YAML takes `0.10` for a number and `on` for text: say what helps. */
function quoteIt(document: ConfigDocument, path: ValuePath, expected: string): string {
  const text = document.textOf(path);
  return expected === "string" && text !== undefined ? `: write it in quotes, "${text}"` : "";
}

function unknownKey(path: ValuePath, key: string): string {
  const known = knownKeys(path);
  const meant = nearestName(key, known);
  const place = path.length === 0 ? "" : ` in ${nameOf(path)}`;
  return meant === undefined
    ? `unknown key '${key}'${place}; there are ${known.join(", ")}`
    : `unknown key '${key}'${place}; did you mean '${meant}'?`;
}

interface SchemaNode {
  properties?: Record<string, SchemaNode>;
  additionalProperties?: SchemaNode | boolean;
  items?: SchemaNode;
  anyOf?: SchemaNode[];
}

const SCHEMA = jsonSchema() as SchemaNode;

function knownKeys(path: ValuePath): string[] {
  let node: SchemaNode | undefined = SCHEMA;
  for (const step of path) {
    const here: SchemaNode | undefined = settled(node);
    const rest = typeof here?.additionalProperties === "object" ? here.additionalProperties : undefined;
    node = here?.items ?? here?.properties?.[step] ?? rest;
  }
  return Object.keys(settled(node)?.properties ?? {});
}

/** The part of "this or null" that is not null. */
function settled(node: SchemaNode | undefined): SchemaNode | undefined {
  return node?.anyOf?.find((each) => each.properties || each.additionalProperties || each.items) ?? node;
}

/** `settings.PORT.type`, `images.extra[0]`. */
export function nameOf(path: ValuePath): string {
  return path
    .map((step, index) => (typeof step === "number" ? `[${step}]` : `${index === 0 ? "" : "."}${step}`))
    .join("");
}
