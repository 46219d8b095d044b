/** Takes secrets out of a text. */
export type Redact = (text: string) => string;

export const REDACTED = "***";

/** Shorter ones would take ordinary words out; a token of this length protects nothing. */
const SHORTEST_SECRET = 4;

/** A function that takes these secrets out of any text, also in base64, where they may begin at any of three places. */
export function redactor(secrets: readonly string[]): Redact {
  const forms = [...new Set(secrets.filter(isSecret).flatMap((secret) => [secret, ...base64Forms(secret)]))];
  // Longest first, so that one inside another leaves no rest.
  forms.sort((a, b) => b.length - a.length);
  return (text) => forms.reduce((clean, form) => clean.replaceAll(form, REDACTED), text);
}

export function isSecret(text: string): boolean {
  return text.length >= SHORTEST_SECRET;
}

/** What of a text's base64 does not depend on what stands before and after it. */
export function base64Forms(secret: string): string[] {
  return [0, 1, 2].flatMap((shift) => {
    const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)]);
    const whole = Math.floor(bytes.length / 3) * 4;
    const encoded = bytes.toString("base64").slice(shift === 0 ? 0 : shift === 1 ? 2 : 3, whole);
    // As short as that, it would also be found where there is no secret.
    return encoded.length >= 8 ? [encoded] : [];
  });
}
