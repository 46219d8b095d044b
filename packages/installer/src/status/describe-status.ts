import { printable, type ServicesTableOptions, servicesTable } from "@drybag/terminal";
import type { StackStatus } from "./read-status.ts";

export function describeStatus(
  { name, release, folder, healthy, services, images, checks, findings }: StackStatus,
  options: ServicesTableOptions,
): string {
  const broken = images.filter(({ ok }) => !ok);
  const lines = [
    `${name}: release ${release}, ${healthy ? "healthy" : "not healthy"}`,
    "",
    servicesTable([...services.map(withPorts), ...checks], options),
    "",
    ...(broken.length === 0
      ? [`All ${images.length} images are as they were packed.`]
      : broken.map(({ tag, problem }) => `Image ${tag} ${problem}.`)),
    ...findings.map(({ message, remedy }) => printable(`${message}${remedy ? `\n  ${remedy}` : ""}`)),
    `Files: ${folder}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** Behind the state, as there is room. */
function withPorts(service: StackStatus["services"][number]): StackStatus["services"][number] {
  const detail = [service.ports.join(", "), service.detail].filter(Boolean).join("; ");
  return { ...service, detail: detail === "" ? undefined : detail };
}
