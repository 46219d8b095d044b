import { isVisibleLine } from "./visible-line.ts";

/** Values out of JSON that is not trusted, each with its place, so that a refusal can say where. */
export class JsonValue {
  readonly place: string;
  readonly value: unknown;
  readonly #refuse: (place: string, reason: string) => never;

  constructor(value: unknown, place: string, refuse: (place: string, reason: string) => never) {
    this.value = value;
    this.place = place;
    this.#refuse = refuse;
  }

  refuse(reason: string): never {
    return this.#refuse(this.place, reason);
  }

  /** A field of an object; absent ones have the value undefined and are refused by whatever is asked of them. */
  field(name: string): JsonValue {
    const { value } = this;
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return this.refuse("must be an object");
    const place = this.place === "" ? name : `${this.place}.${name}`;
    const own = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
    return new JsonValue(own, place, this.#refuse);
  }

  list<T>(read: (item: JsonValue) => T): T[] {
    if (!Array.isArray(this.value)) return this.refuse("must be a list");
    return this.value.map((item, index) =>
      read(new JsonValue(item, `${this.place}[${index}]`, this.#refuse)),
    );
  }

  /** The fields of an object that is a map, each with its name, which has a place too. */
  entries(): [name: JsonValue, value: JsonValue][] {
    const { value } = this;
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return this.refuse("must be an object");
    return Object.keys(value).map((name) => [
      new JsonValue(name, `${this.place} has a key that`, this.#refuse),
      this.field(name),
    ]);
  }

  /** A regular expression (ECMAScript, flag `u`) on one line. */
  pattern(): string {
    const pattern = this.line();
    try {
      new RegExp(pattern, "u");
    } catch {
      return this.refuse("must be a regular expression");
    }
    return pattern;
  }

  /** Any text that is safe to print; longer ones than 64 KiB and control characters but tab and newline are refused. */
  text(): string {
    const { value } = this;
    if (typeof value !== "string") return this.refuse("must be a string");
    if (value.length > 65_536) return this.refuse("is too long");
    if (!value.isWellFormed()) return this.refuse("is not valid Unicode");
    if (UNPRINTABLE.test(value)) return this.refuse("has control characters");
    return value;
  }

  /** One line that people are shown. */
  line(): string {
    const text = this.text();
    return isVisibleLine(text) ? text : this.refuse("must be one line of visible text");
  }

  /** One line of this form. */
  lineMatching(pattern: RegExp, form: string): string {
    const line = this.line();
    return pattern.test(line) ? line : this.refuse(`must be ${form}`);
  }

  /** A text of this form, which `form` describes for people. */
  matching(pattern: RegExp, form: string): string {
    const text = this.text();
    return pattern.test(text) ? text : this.refuse(`must be ${form}`);
  }

  flag(): boolean {
    return typeof this.value === "boolean" ? this.value : this.refuse("must be true or false");
  }

  /** A count or size: a whole number that JSON carries exactly. */
  count(): number {
    const { value } = this;
    const fits =
      typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0);
    return fits ? value : this.refuse("must be a whole number");
  }

  /** A whole number of either sign that JSON carries exactly. */
  integer(): number {
    const { value } = this;
    const fits = typeof value === "number" && Number.isSafeInteger(value) && !Object.is(value, -0);
    return fits ? value : this.refuse("must be a whole number");
  }

  oneOf<const T extends string | number>(...allowed: T[]): T {
    const found = allowed.find((candidate) => candidate === this.value);
    return found ?? this.refuse(`must be ${allowed.map((one) => JSON.stringify(one)).join(" or ")}`);
  }

  optional<T>(read: (value: JsonValue) => T): T | undefined {
    return this.value === undefined ? undefined : read(this);
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;
