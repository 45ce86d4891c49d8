/** What of a conversation did not come along, or not as it was. */
export const leftOutKinds = [
  'branches',
  'images',
  'audio',
  'video',
  'files',
  'instructions',
  'unknown',
  'turns',
  'fields',
  'dates',
  'unfinished',
  'references',
  'ids',
  'order',
  'cycle',
  'grouped',
] as const;
export type LeftOutKind = (typeof leftOutKinds)[number];

/** How many of each; absent for none. */
export type LeftOut = Readonly<Partial<Record<LeftOutKind, number>>>;

/** Counts what is left out while a conversation is read. */
export interface LeftOutCount {
  add(kind: LeftOutKind, count?: number): void;
  readonly counts: LeftOut;
}

export function countLeftOut(): LeftOutCount {
  const counts: Partial<Record<LeftOutKind, number>> = {};
  return {
    add(kind, count = 1) {
      if (count > 0) counts[kind] = (counts[kind] ?? 0) + count;
    },
    counts,
  };
}

/** For a look at something whose losses are counted elsewhere. */
export const uncounted: LeftOutCount = { add: () => undefined, counts: {} };

/** One sentence a kind, in the order of `leftOutKinds`; empty when all came along. */
export function wordsForLeftOut(leftOut: LeftOut): string {
  return leftOutKinds
    .flatMap((kind) => {
      const count = leftOut[kind];
      return count === undefined ? [] : [sentence(kind, count)];
    })
    .join(' ');
}

function sentence(kind: LeftOutKind, count: number): string {
  const of = (one: string, many: string) => (count === 1 ? `1 ${one}` : `${count} ${many}`);
  switch (kind) {
    case 'branches':
      return `${of('message of another branch was', 'messages of other branches were')} left out; the branch shown last was taken.`;
    case 'images':
      return `${of('picture is', 'pictures are')} not part of the import; a note stands in place of each.`;
    case 'audio':
      return `${of('recording is', 'recordings are')} not part of the import; a note stands in place of each.`;
    case 'video':
      return `${of('video is', 'videos are')} not part of the import; a note stands in place of each.`;
    case 'files':
      return `${of('file is', 'files are')} not part of the import; a note stands in place of each.`;
    case 'instructions':
      return `${of('text of instructions', 'texts of instructions')} to the model did not come along.`;
    case 'unknown':
      return `${of('part is of a kind', 'parts are of kinds')} that Holdfast does not know; a note stands in place of each.`;
    case 'turns':
      return `${of('message was', 'messages were')} damaged or missing, and left out.`;
    case 'fields':
      return `${of('detail of a message was', 'details of messages were')} not understood, and left out; the words are there.`;
    case 'dates':
      return `${of('date was', 'dates were')} impossible; the nearest good one was taken instead.`;
    case 'unfinished':
      return `${of('message was', 'messages were')} still waiting or being said at the export, and did not get further.`;
    case 'references':
      return `${of('message named', 'messages named')} another one that is not there.`;
    case 'ids':
      return `${of('message had an id', 'messages had ids')} that another one has as well, and got a new one.`;
    case 'order':
      return 'The messages were numbered wrongly, and got new numbers in the order in which they stand.';
    case 'cycle':
      return 'The messages follow one another in a circle; they were taken up to where it closes.';
    case 'grouped':
      return 'The file does not say which messages belong together; pauses of more than half an hour were taken as ends.';
  }
}
