import { glyphs } from "./glyphs.ts";

export interface WaitOptions {
  stream: NodeJS.WriteStream;
  /** Nothing is shown where the stream is no terminal. */
  isTerminal: boolean;
  unicode?: boolean;
}

/**
 * For commands of one short stage (`drybag images`, `drybag-site status`): a spinner on stderr that is gone when the result
 * is there.
 */
export async function wait<T>(text: string, options: WaitOptions, run: () => Promise<T>): Promise<T> {
  const { stream, isTerminal, unicode = false } = options;
  if (!isTerminal) return run();
  const { default: ora } = await import("ora");
  const spinner = ora({
    text,
    stream,
    isEnabled: true,
    // It would put stdin into raw mode, where Ctrl-C is a byte and no signal.
    discardStdin: false,
    spinner: { frames: glyphs(unicode).spinner, interval: 250 },
  }).start();
  try {
    return await run();
  } finally {
    spinner.stop();
  }
}
