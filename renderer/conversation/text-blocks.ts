/** A block ends at the first line break after this many UTF-16 code units. */
const BLOCK_MIN = 2_000;
/** A run ends at the first space after this many. */
const RUN_MIN = 1_000;

/**
 * Cuts a text at line breaks into blocks that never change once the text has grown past them, so that a long answer
 * that still streams lays out only its end again. The blocks joined are the text.
 */
export function blocksOf(text: string): readonly string[] {
  return cut(text, '\n', BLOCK_MIN);
}

/** Cuts a block without line breaks at spaces, for the same reason: what does not change need not be shaped again. */
export function runsOf(block: string): readonly string[] {
  return cut(block, ' ', RUN_MIN);
}

function cut(text: string, at: string, min: number): readonly string[] {
  const pieces: string[] = [];
  let from = 0;
  while (text.length - from > min) {
    const end = text.indexOf(at, from + min);
    if (end < 0) break;
    pieces.push(text.slice(from, end + 1));
    from = end + 1;
  }
  if (from < text.length || pieces.length === 0) pieces.push(text.slice(from));
  return pieces;
}
