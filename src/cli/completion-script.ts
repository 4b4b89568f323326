import type { Command, Option } from 'commander';

/** The shells that a completion script can be printed for. */
export type Shell = 'bash' | 'zsh' | 'fish';

/** Makes a completion script from the tree of commands. */
export function completionScript(shell: Shell, program: Command): string {
  const commands = program.commands.map(describeCommand);
  if (shell === 'fish') return fish(commands);
  return shell === 'zsh' ? zsh(commands) : bash(commands);
}

interface Described {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly Option[];
  /** What may stand in the first place, when that is a list. */
  readonly words: readonly string[];
}

function describeCommand(command: Command): Described {
  const first = command.registeredArguments[0];
  return {
    name: command.name(),
    summary: command.summary(),
    options: command.options,
    words: first?.argChoices ?? [],
  };
}

function flags(options: readonly Option[]): string[] {
  return [...options.flatMap((option) => [option.short, option.long]), '--help'].filter((flag) => flag !== undefined);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** The choices of every option of a command that has some, as branches of a `case`. */
function choiceBranches(commands: readonly Described[], line: (choices: readonly string[]) => string): string {
  const branches = new Map<string, readonly string[]>();
  for (const option of commands.flatMap((command) => command.options)) {
    if (option.long !== undefined && option.argChoices !== undefined) branches.set(option.long, option.argChoices);
  }
  return [...branches].map(([flag, choices]) => `    ${flag}) ${line(choices)} ;;`).join('\n');
}

function bash(commands: readonly Described[]): string {
  const branches = commands.map((command) => {
    const words = command.words.length > 0 ? `words=${quote(command.words.join(' '))}; ` : '';
    return `    ${command.name}) ${words}flags=${quote(flags(command.options).join(' '))} ;;`;
  });
  return `# Completion of filecloudsync for bash: source <(filecloudsync completion bash)
_filecloudsync() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} words= flags=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ${quote([...commands.map(({ name }) => name), '--help', '--version'].join(' '))} -- "$word"))
    return
  fi
  case "$before" in
${choiceBranches(commands, (choices) => `COMPREPLY=($(compgen -W ${quote(choices.join(' '))} -- "$word")); return`)}
  esac
  case "\${COMP_WORDS[1]}" in
${branches.join('\n')}
  esac
  if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$word"))
  elif [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$word"))
  elif [ "$COMP_CWORD" -eq 2 ]; then COMPREPLY=($(compgen -d -- "$word"))
  fi
}
complete -o filenames -F _filecloudsync filecloudsync
`;
}

function zsh(commands: readonly Described[]): string {
  const item = (name: string, help: string): string => quote(`${name.replaceAll(':', String.raw`\:`)}:${help}`);
  const branches = commands.map((command) => {
    const described = command.options.flatMap((option) =>
      option.long === undefined ? [] : [item(option.long, option.description)],
    );
    const words = command.words.length > 0 ? `words_=(${command.words.map(quote).join(' ')}); ` : '';
    return `    ${command.name}) ${words}flags_=(${[...described, item('--help', 'print this help')].join(' ')}) ;;`;
  });
  return `#compdef filecloudsync
# Completion of filecloudsync for zsh: source <(filecloudsync completion zsh)
_filecloudsync() {
  local -a commands_ flags_ words_
  commands_=(${commands.map(({ name, summary }) => item(name, summary)).join(' ')})
  if (( CURRENT == 2 )); then _describe command commands_; return; fi
  case "\${words[CURRENT-1]}" in
${choiceBranches(commands, (choices) => `compadd -- ${choices.map(quote).join(' ')}; return`)}
  esac
  case "\${words[2]}" in
${branches.join('\n')}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then _describe option flags_
  elif (( \${#words_} > 0 )); then compadd -- $words_
  elif (( CURRENT == 3 )); then _files -/
  fi
}
(( \${+functions[compdef]} )) || { autoload -Uz compinit; compinit; }
compdef _filecloudsync filecloudsync
`;
}

function fish(commands: readonly Described[]): string {
  const lines = [
    '# Completion of filecloudsync for fish: filecloudsync completion fish | source',
    'complete -c filecloudsync -f',
  ];
  for (const command of commands) {
    lines.push(`complete -c filecloudsync -n __fish_use_subcommand -a ${command.name} -d ${quote(command.summary)}`);
    const here = `complete -c filecloudsync -n ${quote(`__fish_seen_subcommand_from ${command.name}`)}`;
    if (command.words.length > 0) lines.push(`${here} -a ${quote(command.words.join(' '))}`);
    else if (command.options.length > 0) lines.push(`${here} -a '(__fish_complete_directories)'`);
    for (const option of command.options) {
      const short = option.short === undefined ? '' : ` -s ${option.short.slice(1)}`;
      const value = option.required || option.optional ? ' -r' : '';
      const choices = option.argChoices === undefined ? '' : ` -a ${quote(option.argChoices.join(' '))}`;
      lines.push(
        `${here}${short} -l ${(option.long ?? '').slice(2)}${value}${choices} -d ${quote(option.description)}`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}
