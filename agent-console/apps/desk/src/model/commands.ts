/** The command palette's words: every act of the desk by name and by pinyin initials. Pure. */
export interface PaletteCommand {
  id: string;
  label: string;
  /** Pinyin initials of the Chinese name. */
  initials: string;
  key?: string;
  run: () => void;
}

/** Commands that fit the query by initials, by name, or by the letters of the English name; the best first. */
export function findCommands(commands: readonly PaletteCommand[], query: string): PaletteCommand[] {
  const wanted = query.trim().toLowerCase();
  if (!wanted) return [...commands];
  const rank = (command: PaletteCommand): number => {
    if (command.initials === wanted) return 0;
    if (command.initials.startsWith(wanted)) return 1;
    if (command.label.toLowerCase().startsWith(wanted)) return 2;
    if (command.label.toLowerCase().includes(wanted)) return 3;
    return command.initials.includes(wanted) ? 4 : -1;
  };
  return commands
    .map((command) => ({ command, rank: rank(command) }))
    .filter((entry) => entry.rank >= 0)
    .sort((a, b) => a.rank - b.rank)
    .map((entry) => entry.command);
}
