import { readlink } from "node:fs/promises";
import { hostname, userInfo } from "node:os";

/** Who runs the program, from where, and which program: for the auditor. */
export interface Operator {
  user: string;
  uid: number;
  /** Who became that user with sudo; null where nobody did. */
  sudoUser: string | null;
  host: string;
  /** The terminal; null where there is none, as in a script. */
  terminal: string | null;
  /** Address that a session over SSH came from. */
  from: string | null;
  /** Version of drybag-site. */
  program: string;
}

export async function readOperator(
  env: NodeJS.ProcessEnv,
  stdin: { isTTY?: boolean },
  program: string,
): Promise<Operator> {
  const { username, uid } = userInfo();
  const terminal = stdin.isTTY ? await readlink("/proc/self/fd/0").catch(() => null) : null;
  return {
    user: username,
    uid,
    sudoUser: env.SUDO_USER || null,
    host: hostname(),
    terminal,
    from: env.SSH_CONNECTION?.split(" ")[0] || null,
    program,
  };
}
