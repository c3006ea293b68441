/**
 * The text of a scenario: blocks apart by an empty line, each some remarks (`#`), commands, a line of four dashes, and
 * what happened. Read and written in one form, so that what happened can be compared and rewritten.
 */
export interface Block {
  readonly remarks: ReadonlyArray<string>
  readonly commands: ReadonlyArray<string>
  /** Undefined: not run yet. */
  readonly happened: ReadonlyArray<string> | undefined
}

export interface Script {
  readonly name: string
  readonly blocks: ReadonlyArray<Block>
}

const dashes = "----"

const blockOf = (text: string): Block => {
  const lines = text.split("\n").filter((line) => line.trim() !== "")
  const end = lines.indexOf(dashes)
  const head = end < 0 ? lines : lines.slice(0, end)
  return {
    remarks: head.filter((line) => line.startsWith("#")),
    commands: head.filter((line) => !line.startsWith("#")).map((line) => line.trim()),
    happened: end < 0 ? undefined : lines.slice(end + 1)
  }
}

export const parse = (name: string, text: string): Script => ({
  name,
  blocks: text
    .split(/\n[ \t]*\n/)
    .map(blockOf)
    .filter(({ commands, remarks }) => commands.length + remarks.length > 0)
})

const renderBlock = ({ commands, happened = [], remarks }: Block): string =>
  [...remarks, ...(commands.length === 0 ? [] : [...commands, dashes, ...happened])].join("\n")

export const render = ({ blocks }: Script): string => `${blocks.map(renderBlock).join("\n\n")}\n`
