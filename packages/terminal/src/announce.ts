/**
 * A live display owns its stream: a line written past it would be lost in the next frame. Whoever has something to say in
 * the middle (the signal handler) says it here, and it is shown in the display, or written plainly where there is none.
 */
const displays = new WeakMap<NodeJS.WritableStream, (line: string) => void>();

export function announce(stream: NodeJS.WriteStream, line: string): void {
  const show = displays.get(stream);
  // In a terminal a question, or the ^C that was typed, may stand on the line.
  if (show) show(line);
  else stream.write(`${stream.isTTY ? "\n" : ""}${line}\n`);
}

/** Gives a stream to a live display; the function returned takes it back. */
export function attachDisplay(stream: NodeJS.WritableStream, show: (line: string) => void): () => void {
  displays.set(stream, show);
  return () => {
    displays.delete(stream);
  };
}
