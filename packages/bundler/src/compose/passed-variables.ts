import { isMap, isScalar, isSeq } from "yaml";
import type { ComposeDocument } from "./compose-document.ts";
import { type Found, itemsOf, keysOf, lookUp, lookUpPath, positionOf, textOf } from "./look-up.ts";
import { VARIABLE_NAME } from "./scan-variables.ts";
import type { PlacedVariable } from "./variables-of.ts";

/**
 * Variables that a service's `environment` names without a value: Compose hands on what they have in the project's own
 * environment (compose-spec, environment).
 */
export function passedVariablesOf(document: ComposeDocument): PlacedVariable[] {
  const services = lookUpPath(document, ["services"]);
  if (services === undefined || !isMap(services.node)) return [];
  return keysOf(document, services.node).flatMap((service) => {
    const environment = lookUpPath(document, ["services", service, "environment"]);
    return environment === undefined ? [] : passedBy(environment);
  });
}

function passedBy(environment: Found): PlacedVariable[] {
  const { node, document } = environment;
  if (isSeq(node)) {
    return itemsOf(environment).flatMap((item) => use(textOf(item.node), item));
  }
  if (!isMap(node)) return [];
  return keysOf(document, node).flatMap((name) => {
    const value = lookUp(document, node, name);
    // An alias to nothing and `NAME:` with nothing behind it are the same.
    return value === undefined || (isScalar(value.node) && value.node.value === null)
      ? use(name, value ?? environment)
      : [];
  });
}

function use(name: string | undefined, found: Found): PlacedVariable[] {
  if (name === undefined || VARIABLE_NAME.exec(name)?.[0] !== name) return [];
  return [{ name, required: false, position: positionOf(found) }];
}
