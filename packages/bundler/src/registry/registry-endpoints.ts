import { BlockList, isIP } from "node:net";
import type { RegistryFacts } from "@drybag/docker";

/** An address at which a registry is asked. */
export interface RegistryEndpoint {
  /** Origin, e.g. `https://registry-1.docker.io`. */
  url: string;
  /** Whose credentials are for it, as `docker login` names it. */
  registry: string;
}

const HUB = "docker.io";
const HUB_ADDRESS = "https://registry-1.docker.io";

/**
 * Where the engine would ask for images of a registry: mirrors stand before Docker Hub and no other. Without TLS only where the
 * engine would do so too: on this machine, and where its configuration says so.
 */
export function registryEndpoints(registry: string, facts: RegistryFacts): RegistryEndpoint[] {
  if (registry === HUB) {
    const mirrors = facts.mirrors.flatMap((mirror) => {
      const url = URL.parse(mirror);
      return url === null || !/^https?:$/.test(url.protocol) ? [] : { url: url.origin, registry: url.host };
    });
    return [...mirrors, { url: HUB_ADDRESS, registry: HUB }];
  }
  const secure = { url: `https://${registry}`, registry };
  const plain = { url: `http://${registry}`, registry };
  if (isOnThisMachine(registry)) return [plain, secure];
  return isInsecure(registry, facts) ? [secure, plain] : [secure];
}

function isOnThisMachine(registry: string): boolean {
  const host = hostOf(registry);
  return host === "localhost" || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function isInsecure(registry: string, { insecure, insecureNetworks }: RegistryFacts): boolean {
  const host = hostOf(registry);
  const networks = new BlockList();
  for (const network of insecureNetworks) {
    const [address = "", prefix] = network.split("/");
    if (isIP(address)) networks.addSubnet(address, Number(prefix), isIP(address) === 6 ? "ipv6" : "ipv4");
  }
  const isInNetwork = isIP(host) !== 0 && networks.check(host, isIP(host) === 6 ? "ipv6" : "ipv4");
  return isInNetwork || insecure.includes(registry);
}

function hostOf(registry: string): string {
  return registry.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}
