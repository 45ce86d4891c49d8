// Imported before everything else by each entry, so it must load on Nodes that are too old for the rest:
// no imports, no recent syntax.

export const OLDEST_NODE = 20;

/**
 * Why this Node cannot run the scripts, or undefined when it can.
 * @param {string} version As in `process.versions.node`.
 * @returns {string | undefined}
 */
export function nodeProblem(version) {
  if (Number(version.split('.')[0]) >= OLDEST_NODE) return undefined;
  return (
    'Holdfast needs Node ' +
    OLDEST_NODE +
    ' or newer, and this is Node ' +
    version +
    '. Get a newer one from nodejs.org.'
  );
}

const problem = nodeProblem(process.versions.node);
if (problem !== undefined) {
  console.error(problem);
  process.exit(1);
}
