/** `pnpm bench NAME [flags]`: runs one benchmark; each file here says what it takes. */
const BENCHMARKS = ["pack", "images", "install"];

const [name = ""] = process.argv.slice(2);
if (!BENCHMARKS.includes(name)) {
  console.error(`usage: pnpm bench ${BENCHMARKS.join("|")} [flags]`);
  process.exit(2);
}
await import(`./${name}.ts`);
