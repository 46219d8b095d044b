const MAX_DEPTH = 16;
const MAX_VALUES = 2_000_000;

/**
 * Reads JSON that is not trusted, in bounded time and memory: few bytes of JSON can become very many of objects.
 * Returns why it was refused if it was.
 */
export function parseJson(bytes: Uint8Array): { value: unknown; text: string } | { problem: string } {
  if (tooLarge(bytes)) return { problem: "holds too many values, or too deeply nested" };
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return { value: JSON.parse(text), text };
  } catch (error) {
    return { problem: `is not JSON: ${error instanceof Error ? error.message : error}` };
  }
}

/**
 * Whether a text is the one JSON text for its value that Drybag writes: two spaces, one newline at the end, no key twice, no
 * other spelling of strings and numbers. So two readers never see two different manifests in the same bytes.
 */
export function isCanonicalJson(text: string, value: unknown): boolean {
  return text === canonicalJson(value);
}

export function canonicalJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

const [QUOTE, BACKSLASH, COMMA, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = Buffer.from('"\\,[]{}');

function tooLarge(bytes: Uint8Array): boolean {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) at = endOfString(bytes, at);
    else if (byte === COMMA) values++;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      values++;
      if (++depth > MAX_DEPTH) return true;
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--;
    if (values > MAX_VALUES) return true;
  }
  return false;
}

function endOfString(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}
