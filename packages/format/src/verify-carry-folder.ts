import { createHash } from "node:crypto";
import { type Readable, Writable } from "node:stream";
import { DrybagError, type Finding, isDrybagError } from "@drybag/errors";
import type { Damage } from "./damage.ts";
import {
  type CarryFolder,
  isOfStem,
  lookForBundle,
  otherListedFiles,
  partsMissing,
  pathOf,
} from "./find-bundle.ts";
import { foldCase } from "./folder-names.ts";
import type { BundledLayer } from "./manifest.ts";
import { blobEntry, CHECKSUMS_FILE, CHECKSUMS_SIGNATURE_FILE } from "./names.ts";
import { type OpenedBundle, readOpening, sizeDamage } from "./open-bundle.ts";
import { CHUNK_BYTES, openFile } from "./open-file.ts";
import { partMismatch } from "./part-reader.ts";
import { type ReadBundleOptions, scanBundle } from "./read-bundle.ts";
import { readError } from "./read-error.ts";
import { requireTrustedSigner, verifyBundleSigner } from "./signature/bundle-signer.ts";
import type { SshPublicKey } from "./signature/ssh-public-key.ts";
import type { TrustedSigner } from "./signature/trusted-signers.ts";
import { unpackLayer } from "./unpack-layer.ts";

export interface VerifiedCarryFolder {
  /** Undefined if not even the manifest could be read; findings say why. */
  bundle: OpenedBundle | undefined;
  /** Everything that is wrong, and nothing else. */
  findings: Finding[];
}

export interface VerifyOptions extends ReadBundleOptions {
  /** Keys of which one must have signed the bundle; anybody may if undefined. */
  trusted?: readonly TrustedSigner[];
  /** Unpack every layer and compare it with the digest that its image gives. */
  unpackLayers?: boolean;
  /** What SHA256SUMS says of the parts is enough to know of the bodies in them: for whoever has just written them. */
  trustsParts?: boolean;
}

/**
 * Reads everything in a carry folder once and says all that is wrong with it: missing and damaged parts, entries that differ
 * from the manifest, files that differ from SHA256SUMS, are missing, or are not listed. Throws only where there is no bundle to
 * look at (bundle-not-found), or the signal's reason.
 */
export async function verifyCarryFolder(
  path: string,
  options: VerifyOptions = {},
): Promise<VerifiedCarryFolder> {
  const { folder, missingParts, checksumsError } = await lookForBundle(path);
  const findings = new Findings();
  if (checksumsError) findings.add(checksumsError);
  else if (!folder.checksums) findings.warn("checksums-missing", ...NO_CHECKSUMS);
  if (missingParts.length > 0) findings.add(partsMissing(missingParts, folder.directory));

  const bundle = await verifyBundle(folder, missingParts.length > 0, options, findings);
  for (const name of otherListedFiles(folder)) await verifyListedFile(folder, name, options, findings);
  findUnlistedFiles(folder, findings);
  const signer = bundle && verifySigner(bundle, options.trusted, findings);
  return { bundle: bundle && { ...bundle, ...(signer && { signer }) }, findings: findings.all() };
}

async function tryUnpacking(
  layer: BundledLayer,
  body: Readable,
  signal: AbortSignal | undefined,
  findings: Findings,
): Promise<void> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    await unpackLayer(layer, body, nowhere, signal);
  } catch (error) {
    if (!isDrybagError(error, "layer-refused", "layer-bomb")) throw error;
    findings.damage({ error, parts: [], entry: blobEntry(layer.digest) });
  }
}

/** Signatures that are wrong are errors, whoever is trusted; that nobody signed is one only if somebody has to. */
function verifySigner(
  bundle: OpenedBundle,
  trusted: readonly TrustedSigner[] | undefined,
  findings: Findings,
): SshPublicKey | undefined {
  try {
    const signer = verifyBundleSigner(bundle);
    return trusted === undefined ? signer : requireTrustedSigner(signer, trusted);
  } catch (error) {
    if (!(error instanceof DrybagError)) throw error;
    findings.add(error);
    return undefined;
  }
}

const NO_CHECKSUMS = [
  `There is no ${CHECKSUMS_FILE}: only the bundle itself could be checked.`,
  `Copy ${CHECKSUMS_FILE} from where the bundle was made.`,
] as const;

async function verifyBundle(
  folder: CarryFolder,
  incomplete: boolean,
  options: VerifyOptions,
  findings: Findings,
): Promise<OpenedBundle | undefined> {
  let bundle: OpenedBundle | undefined;
  const compared = new Set<string>();
  try {
    bundle = await readOpening(folder, options.signal);
    const damage = incomplete ? undefined : await sizeDamage(bundle, options.signal);
    if (damage) findings.damage(damage);
    if (!damage && !incomplete) {
      const scan = scanBundle(bundle, {
        ...options,
        onlyVerify: !options.unpackLayers,
        onCompared: (name) => compared.add(name),
        report: (damage) => findings.damage(damage),
      });
      const layers = new Map(bundle.manifest.layers.map((layer) => [blobEntry(layer.digest), layer]));
      for await (const { entry, body } of scan) {
        const layer = options.unpackLayers ? layers.get(entry.path) : undefined;
        if (layer) await tryUnpacking(layer, body, options.signal, findings);
        body.destroy();
      }
      return bundle;
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!(error instanceof DrybagError)) throw error;
    // Of an incomplete bundle the manifest may lie in the part that is missing, which has been said.
    if (!incomplete) findings.add(error);
  }
  // The entries cannot be read one after another, but each part can be judged by itself.
  for (const part of folder.parts) {
    if (folder.checksums && !compared.has(part.name))
      await verifyListedFile(folder, part.name, options, findings);
  }
  return bundle;
}

async function verifyListedFile(
  folder: CarryFolder,
  name: string,
  options: ReadBundleOptions,
  findings: Findings,
): Promise<void> {
  const expected = folder.checksums?.get(name);
  try {
    const sha256 = await hashFile(pathOf(folder, name), options);
    if (sha256 !== expected)
      findings.damage({ parts: [name], error: partMismatch(name, expected !== undefined) });
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!(error instanceof DrybagError)) throw error;
    if (error.code === "bundle-part-missing") findings.add(partsMissing([name], folder.directory));
    else findings.add(error);
  }
}

async function hashFile(
  path: string,
  { signal, onBytes, bypassCache = false }: ReadBundleOptions,
): Promise<string> {
  const hash = createHash("sha256");
  try {
    await using file = await openFile(path, { bypassCache });
    const memory = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    for (let chunk = await file.read(memory); chunk.length > 0; chunk = await file.read(memory)) {
      signal?.throwIfAborted();
      hash.update(chunk);
      onBytes?.(chunk.length);
    }
  } catch (error) {
    throw readError(error, path);
  }
  return hash.digest("hex");
}

function findUnlistedFiles({ names, stem, checksums }: CarryFolder, findings: Findings): void {
  if (!checksums) return;
  const known = new Set([...checksums.keys(), CHECKSUMS_FILE, CHECKSUMS_SIGNATURE_FILE].map(foldCase));
  for (const name of [...names].sort()) {
    // A part that is not listed is an error of its own.
    if (known.has(foldCase(name)) || isOfStem(name, stem) || MADE_BY_SYSTEMS.test(name)) continue;
    findings.warn(
      "file-not-listed",
      `${CHECKSUMS_FILE} does not list ${name}.`,
      "Drybag did not put it there; installing ignores it.",
    );
  }
}

/** What file managers and file systems leave on every stick. */
const MADE_BY_SYSTEMS =
  /^(\._.*|\.DS_Store|\.Spotlight-V100|\.Trash.*|\.fseventsd|System Volume Information|\$RECYCLE\.BIN|desktop\.ini|Thumbs\.db|lost\+found)$/i;

/** Findings without repeating oneself: an entry that lies in a part known to be damaged is named with that part. */
class Findings {
  readonly #findings: Finding[] = [];
  readonly #damagedParts = new Map<string, DrybagError>();
  readonly #damagedEntries: (Damage & { entry: string })[] = [];

  add(error: DrybagError): void {
    this.#findings.push(findingOf(error));
  }

  warn(code: string, message: string, remedy: string): void {
    this.#findings.push({ code, severity: "warning", message, remedy });
  }

  damage({ error, parts, entry }: Damage): void {
    const [part] = parts;
    if (entry !== undefined) this.#damagedEntries.push({ error, parts, entry });
    else if (part !== undefined && parts.length === 1)
      this.#damagedParts.set(part, this.#damagedParts.get(part) ?? error);
    else this.add(error);
  }

  all(): Finding[] {
    const isExplained = ({ parts }: Damage) => parts.some((part) => this.#damagedParts.has(part));
    const parts = [...this.#damagedParts].map(([part, error]) => {
      const entries = this.#damagedEntries
        .filter((damage) => damage.parts.includes(part))
        .map(({ entry }) => entry);
      const finding = findingOf(error);
      if (entries.length > 0) finding.message += ` It holds ${listShortly([...new Set(entries)])}.`;
      return finding;
    });
    // Of what is wrong with an entry, the first says most: behind another header stands another body.
    const firsts = new Map(this.#damagedEntries.toReversed().map((damage) => [damage.entry, damage]));
    const entries = [...firsts.values()]
      .reverse()
      .filter((damage) => !isExplained(damage))
      .map(({ error }) => findingOf(error));
    const all = [...this.#findings, ...parts, ...entries];
    // What opening the bundle said of a part may be said again by hashing the part.
    const once = new Map(all.map((finding) => [finding.message, finding]));
    return [...once.values()].sort((a, b) => rank(a) - rank(b));
  }
}

function findingOf({ code, message, hint }: DrybagError): Finding {
  return { code, severity: "error", message, ...(hint !== undefined && { remedy: hint }) };
}

function rank({ severity }: Finding): number {
  return severity === "error" ? 0 : 1;
}

function listShortly(names: string[]): string {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}
