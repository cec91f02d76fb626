// Scripts for shells. They ask nothing of the server: what they complete is fixed when they are made.

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

interface Word {
  readonly name: string
  readonly description: string
}

export interface CompletionNode {
  /** The commands before: `['agent', 'run']`. */
  readonly path: readonly string[]
  readonly commands: readonly Word[]
  readonly options: readonly (Word & { readonly takesValue: boolean; readonly choices: readonly string[] })[]
  /** Values of its arguments, where they are fixed. */
  readonly choices: readonly string[]
}

const PROGRAMS = ['agent-factory', 'af'] as const

export function completionScript(shell: Shell, nodes: readonly CompletionNode[]): string {
  switch (shell) {
    case 'bash':
      return bashScript(nodes)
    case 'zsh':
      return zshScript(nodes)
    case 'fish':
      return fishScript(nodes)
    default:
      return shell satisfies never
  }
}

/** The path is found by walking over the words that are commands; options are offered once a hyphen is typed. */
function bashScript(nodes: readonly CompletionNode[]): string {
  const cases = nodes.map(({ path, commands, options, choices }) => {
    const words = [...commands.map(({ name }) => name), ...choices].join(' ')
    return `    '${path.join(' ')}') words='${words}' options='${options.map(({ name }) => name).join(' ')}' ;;`
  })
  const values = choiceCases(nodes).map(
    ({ key, choices }) => `    '${key}') words='${choices.join(' ')}' options='' ;;`,
  )
  return `# bash completion for agent-factory
_agent_factory() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" path='' words='' options='' word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "\${path:+$path }$word" in
      ${paths(nodes).map(quoted).join(' | ')}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  case "$path:$prev" in
${values.join('\n')}
  esac
  if [[ "$cur" == -* ]]; then words="$options"; fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [[ -z "$words" ]]; then COMPREPLY=($(compgen -f -- "$cur")); fi
}
complete -o filenames -F _agent_factory ${PROGRAMS.join(' ')}
`
}

function zshScript(nodes: readonly CompletionNode[]): string {
  const cases = nodes.map(({ path, commands, options, choices }) => {
    const words = [...commands, ...choices.map((name) => ({ name, description: '' })), ...options]
    const entries = words.map(({ name, description }) =>
      quoted(`${name}:${description.replaceAll(':', ' -')}`),
    )
    return `    '${path.join(' ')}') entries=(${entries.join(' ')}) ;;`
  })
  const values = choiceCases(nodes).map(
    ({ key, choices }) => `    '${key}') compadd -- ${choices.map(quoted).join(' ')}; return ;;`,
  )
  return `#compdef ${PROGRAMS.join(' ')}
# zsh completion for agent-factory
_agent_factory() {
  local path_='' word
  local -a entries known
  known=(${paths(nodes).map(quoted).join(' ')})
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if (( \${known[(Ie)\${path_:+$path_ }$word]} )); then path_="\${path_:+$path_ }$word"; fi
  done
  case "$path_:\${words[CURRENT-1]}" in
${values.join('\n')}
  esac
  case "$path_" in
${cases.join('\n')}
  esac
  _describe -t commands 'agent-factory' entries || _files
}
if [ "$funcstack[1]" = "_agent_factory" ]; then _agent_factory "$@"; else compdef _agent_factory ${PROGRAMS.join(' ')}; fi
`
}

function fishScript(nodes: readonly CompletionNode[]): string {
  const lines = nodes.flatMap((node) => {
    const condition = `-n '__agent_factory_at "${node.path.join(' ')}"'`
    return PROGRAMS.flatMap((program) => [
      ...node.commands.map(
        ({ name, description }) =>
          `complete -c ${program} -f ${condition} -a ${name} -d ${quoted(description)}`,
      ),
      ...node.options.map(({ name, description, takesValue, choices }) => {
        const values = choices.length > 0 ? ` -x -a ${quoted(choices.join(' '))}` : takesValue ? ' -r' : ''
        return `complete -c ${program} ${condition} -l ${name.replace(/^--/, '')} -d ${quoted(description)}${values}`
      }),
      ...(node.choices.length > 0
        ? [`complete -c ${program} ${condition} -a ${quoted(node.choices.join(' '))}`]
        : []),
    ])
  })
  return `# fish completion for agent-factory
function __agent_factory_at
  set -l known ${paths(nodes).map(quoted).join(' ')}
  set -l path ''
  for word in (commandline -opc)[2..-1]
    set -l next (string trim "$path $word")
    if contains -- $next $known
      set path $next
    end
  end
  test "$path" = "$argv[1]"
end
${lines.join('\n')}
`
}

function paths(nodes: readonly CompletionNode[]): readonly string[] {
  return nodes.map(({ path }) => path.join(' ')).filter((path) => path !== '')
}

/** Options whose values are fixed, by the command that they belong to. */
function choiceCases(
  nodes: readonly CompletionNode[],
): readonly { readonly key: string; readonly choices: readonly string[] }[] {
  return nodes.flatMap(({ path, options }) =>
    options
      .filter(({ choices }) => choices.length > 0)
      .map(({ name, choices }) => ({ key: `${path.join(' ')}:${name}`, choices })),
  )
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
