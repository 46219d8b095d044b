import { dirname } from "node:path";
import { type ToolOptions, tool } from "./debian/tool.ts";

/** The machine's own programs that engines need, or private ones where it lacks them. */
export interface SystemTools {
  ip: string;
  nsenter: string;
  /** Folder that holds iptables and ip6tables. */
  iptablesFolder: string;
  /** Needed for some labs only, so asked for when they are. */
  mkfsExt4: () => Promise<string>;
  mount: () => Promise<string>;
  umount: () => Promise<string>;
}

export async function provideSystemTools(options: ToolOptions): Promise<SystemTools> {
  return {
    ip: await tool("ip", options),
    nsenter: await tool("nsenter", options),
    iptablesFolder: dirname(await tool("iptables", options)),
    mkfsExt4: () => tool("mkfs.ext4", options),
    mount: () => tool("mount", options),
    umount: () => tool("umount", options),
  };
}
