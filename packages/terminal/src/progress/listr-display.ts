import { styleText } from "node:util";
import { DefaultRenderer, Listr, ListrLogger, type ListrTaskWrapper, ProcessOutput, Spinner } from "listr2";
import { glyphs } from "../glyphs.ts";
import type { Canvas, LiveLine } from "./live-display.ts";

/** Slow enough for a serial line, where every frame is paid for in bytes, and for a terminal that writes synchronously. */
const FRAME_EVERY_MS = 250;
const REFRESH_EVERY_MS = 500;

/** listr2 asks whether *stdout* is a terminal; we draw on stderr, whatever stdout is. */
class StderrRenderer extends DefaultRenderer {
  static override nonTTY = true;
}

class GlyphSpinner extends Spinner {
  protected override readonly spinner: string[];

  constructor(frames: string[]) {
    super();
    this.spinner = frames;
  }

  override start(draw?: () => void): void {
    super.start(draw, FRAME_EVERY_MS);
  }
}

type Renderer = typeof StderrRenderer;
type Keeper = ListrTaskWrapper<unknown, Renderer, Renderer>;
type Display = Listr<unknown, Renderer, Renderer>;

/**
 * Draws on the stream for as long as `use` runs and lines are open. listr2 wants its tasks beforehand and runs them itself;
 * stages come when they come. So there is one task without a title, which draws nothing and keeps the display alive, and every
 * stage is a task added while that one runs.
 */
export async function drawWithListr(
  stream: NodeJS.WriteStream,
  unicode: boolean,
  use: (canvas: Canvas) => Promise<void>,
): Promise<void> {
  const runs: Promise<void>[] = [];

  async function keep(keeper: Keeper): Promise<void> {
    await use({
      add(line) {
        runs.push(runLine(display, keeper, line));
      },
      say(text) {
        keeper.output = text;
      },
    });
    await Promise.all(runs);
  }

  const display: Display = new Listr<unknown, Renderer, Renderer>(
    [{ task: (_context, keeper) => keep(keeper), rendererOptions: { bottomBar: 3 } }],
    {
      concurrent: true,
      // One stage that fails does not change how the others are shown.
      exitOnError: false,
      registerSignalListeners: false,
      renderer: StderrRenderer,
      fallbackRenderer: StderrRenderer,
      rendererOptions: rendererOptions(stream, unicode),
    },
  );
  await display.run();
}

/** One stage as a task of the running display, with its details brought up to date until it has ended. */
async function runLine(display: Display, keeper: Keeper, line: LiveLine): Promise<void> {
  display.add({ title: line.title, task: () => line.ended.promise });
  const task = display.tasks.at(-1);
  if (!task) return;
  const refresh = setInterval(() => {
    const details = line.details();
    if (details !== "" && details !== task.output) task.output$ = details;
  }, REFRESH_EVERY_MS);
  const settled = line.ended.promise
    .catch(() => {})
    .then(() => {
      clearInterval(refresh);
      task.title$ = line.title;
    });
  await task.check({});
  await task.run({}, keeper);
  await settled;
}

function rendererOptions(stream: NodeJS.WriteStream, unicode: boolean) {
  const signs = glyphs(unicode);
  const colour = (format: Parameters<typeof styleText>[0]) => (text?: string) =>
    styleText(format, text ?? "", { stream });
  const processOutput = new ProcessOutput(stream, stream, { dump: ["stderr"], leaveEmptyLine: false });
  return {
    spinner: new GlyphSpinner(signs.spinner),
    icon: {
      PENDING: signs.waiting,
      WAITING: signs.waiting,
      COMPLETED: signs.done,
      FAILED: signs.failed,
      OUTPUT: signs.detail,
      OUTPUT_WITH_BOTTOMBAR: "",
    },
    color: { PENDING: colour("cyan"), COMPLETED: colour("green"), FAILED: colour("red") },
    logger: new ListrLogger({ useIcons: true, toStderr: [], processOutput }),
  };
}
