import type { ServiceLine } from "../progress.ts";

const NAMED_AT_MOST = 3;

/** `7 of 9 services as expected` */
export function servicesCount(services: readonly ServiceLine[]): string {
  const good = services.filter(({ ok }) => ok === true).length;
  return `${good} of ${services.length} services as expected`;
}

/** One line for logs: `7 of 9 services as expected; db: starting, want healthy; web: exited (1), want running`. */
export function servicesSummary(services: readonly ServiceLine[]): string {
  const others = services.filter(({ ok }) => ok !== true);
  const words = [servicesCount(services)];
  for (const { name, state, expected } of others.slice(0, NAMED_AT_MOST)) {
    words.push(`${name}: ${state}, want ${expected}`);
  }
  if (others.length > NAMED_AT_MOST) words.push(`${others.length - NAMED_AT_MOST} more`);
  return words.join("; ");
}
