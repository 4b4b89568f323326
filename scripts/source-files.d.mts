/** The modules below a folder, tests apart: relative to it, with `/`, in the order of their names. */
export function sourceFilesBelow(folder: string): string[];

/** The tests below a folder, as {@link sourceFilesBelow} gives what they test. */
export function testFilesBelow(folder: string): string[];
