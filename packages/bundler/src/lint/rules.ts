import type { Rule } from "./rule.ts";
import { builds } from "./rules/builds.ts";
import { certificates } from "./rules/certificates.ts";
import { containerNames } from "./rules/container-names.ts";
import { defaultPasswords } from "./rules/default-passwords.ts";
import { drivers } from "./rules/drivers.ts";
import { externalObjects } from "./rules/external-objects.ts";
import { files } from "./rules/files.ts";
import { healthchecks } from "./rules/healthchecks.ts";
import { hostAccess } from "./rules/host-access.ts";
import { hostNames } from "./rules/host-names.ts";
import { imageTags } from "./rules/image-tags.ts";
import { platforms } from "./rules/platforms.ts";
import { ports } from "./rules/ports.ts";
import { profiles } from "./rules/profiles.ts";
import { pullPolicies } from "./rules/pull-policies.ts";
import { remoteFiles } from "./rules/remote-files.ts";
import { remoteServices } from "./rules/remote-services.ts";
import { restartPolicies } from "./rules/restart-policies.ts";
import { startCommands } from "./rules/start-commands.ts";
import { state } from "./rules/state.ts";
import { variables } from "./rules/variables.ts";
import { writtenSecrets } from "./rules/written-secrets.ts";

/** Everything that lint looks for. A new rule is a file in rules/ and a line here; its codes go into docs/errors.md. */
export const RULES: readonly Rule[] = [
  // What the bundle is made of.
  imageTags,
  variables,
  files,
  remoteFiles,
  builds,
  platforms,
  profiles,
  // What must not travel.
  defaultPasswords,
  writtenSecrets,
  // What would not start, or not stay up.
  healthchecks,
  restartPolicies,
  hostNames,
  ports,
  containerNames,
  state,
  // What the server must have.
  hostAccess,
  drivers,
  externalObjects,
  // What would reach for the network.
  pullPolicies,
  certificates,
  startCommands,
  remoteServices,
];
