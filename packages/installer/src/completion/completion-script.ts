import type { CommandTree, CompletableCommand, CompletableOption } from "./command-tree.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** The completion of a program for a shell, as that shell reads it. `dir` is where the names of stacks are found. */
export function completionScript(shell: Shell, tree: CommandTree, dir: string): string {
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](tree, dir);
}

/** Lists stacks without starting the program: completion must not wait for anything. */
function stacksIn(dir: string): string {
  return `for link in ${quote(dir)}/*/current; do [ -L "$link" ] && basename "$(dirname "$link")"; done`;
}

/** Nothing beyond bash itself is needed: the bash-completion package may not be there. */
function bashScript({ program, commands }: CommandTree, dir: string): string {
  const id = `_${program.replaceAll("-", "_")}`;
  const cases = commands.map((command) => {
    const words = command.options.flatMap(({ long, short }) => (short ? [long, short] : [long])).join(" ");
    return `    ${command.name}) options=${quote(words)} operand=${command.operand} ;;`;
  });
  const takes = (value: string) =>
    [...new Set(commands.flatMap(({ options }) => options.filter((each) => each.value === value)))]
      .flatMap(({ long, short }) => (short ? [long, short] : [long]))
      .filter((each, index, all) => all.indexOf(each) === index)
      .join("|");
  return `# bash completion for ${program}
${id}_stacks() {
  local link
  ${stacksIn(dir)}
}
${id}() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command="" options="" operand=none each
  COMPREPLY=()
  for each in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $each in -*) ;; *) command=$each; break ;; esac
  done
  case $before in
    ${takes("folder")}) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    ${takes("file")}) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    ${takes("text")}) return ;;
  esac
  case $command in
    "") mapfile -t COMPREPLY < <(compgen -W ${quote(`${commands.map(({ name }) => name).join(" ")} --help --version`)} -- "$word"); return ;;
${cases.join("\n")}
  esac
  case $word in -*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word"); return ;; esac
  case $operand in
    stack) mapfile -t COMPREPLY < <(compgen -W "$(${id}_stacks)" -- "$word") ;;
    folder) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
    shell) mapfile -t COMPREPLY < <(compgen -W "${SHELLS.join(" ")}" -- "$word") ;;
  esac
}
complete -o filenames -F ${id} ${program}
`;
}

function zshScript({ program, options: shared, commands }: CommandTree, dir: string): string {
  const id = `_${program.replaceAll("-", "_")}`;
  const describe = (text: string) => text.replace(/[[\]:\\]/g, "\\$&").replaceAll("'", "’");
  const argument = { file: ":file:_files", folder: ":folder:_files -/", text: ":value:", none: "" };
  const operands = {
    stack: `'1:stack:${id}_stacks'`,
    folder: "'1:folder:_files -/'",
    shell: `'1:shell:(${SHELLS.join(" ")})'`,
    none: "",
  };
  const specsOf = (options: readonly CompletableOption[]) =>
    options.flatMap(({ long, short, description, value }) =>
      (short ? [long, short] : [long]).map(
        (flag) => `'*${flag}[${describe(description)}]${argument[value]}'`,
      ),
    );
  const cases = commands.map(({ name, options, operand }) => {
    const specs = [...specsOf(options), operands[operand]].filter(Boolean);
    return `    ${name}) _arguments -s ${specs.join(" ")} ;;`;
  });
  return `#compdef ${program}
${id}_stacks() {
  local link
  local -a stacks
  stacks=(\${(f)"$(setopt local_options null_glob; ${stacksIn(dir)})"})
  compadd -a stacks
}
${id}() {
  local curcontext=$curcontext state line
  _arguments -C ${specsOf(shared).join(" ")} '1:command:->command' '*::argument:->argument'
  case $state in
    command)
      local -a commands
      commands=(
${commands.map(({ name, description }) => `        '${name}:${describe(description)}'`).join("\n")}
      )
      _describe command commands
      return ;;
  esac
  case $words[1] in
${cases.join("\n")}
  esac
}
if [ "$funcstack[1]" = "${id}" ]; then ${id} "$@"; else compdef ${id} ${program}; fi
`;
}

function fishScript({ program, commands }: CommandTree, dir: string): string {
  const names = commands.map(({ name }) => name).join(" ");
  const id = `__${program.replaceAll("-", "_")}_stacks`;
  const none = `not __fish_seen_subcommand_from ${names}`;
  const text = (value: string) => `'${value.replace(/[\\']/g, "\\$&")}'`;
  const lines = commands.flatMap((command) => {
    const seen = `-n ${text(`__fish_seen_subcommand_from ${command.name}`)}`;
    return [
      `complete -c ${program} -n ${text(none)} -a ${command.name} -d ${text(command.description)}`,
      ...fishOperand(command, id).map((rest) => `complete -c ${program} ${seen} ${rest}`),
      ...command.options.map(({ long, short, description, value }) => {
        const flags = `-l ${long.slice(2)}${short ? ` -s ${short.slice(1)}` : ""}`;
        const takes = { none: "", text: " -x", file: " -r -F", folder: " -r -F" }[value];
        return `complete -c ${program} ${seen} ${flags}${takes} -d ${text(description)}`;
      }),
    ];
  });
  return [
    `# fish completion for ${program}`,
    `function ${id}`,
    `    for link in ${text(dir)}/*/current; test -L $link; and basename (dirname $link); end`,
    "end",
    `complete -c ${program} -f`,
    ...lines,
    "",
  ].join("\n");
}

function fishOperand({ operand }: CompletableCommand, stacks: string): string[] {
  return {
    stack: [`-a '(${stacks})'`],
    folder: ["-F"],
    shell: [`-a '${SHELLS.join(" ")}'`],
    none: [],
  }[operand];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
