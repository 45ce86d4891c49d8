import type {
  ConnectionRecord,
  ExportFormat,
  LinkState,
  Note,
  ProblemCode,
  Restoration,
  TurnStatus,
} from '../src/contract/index.ts';
import type { AgeGroup } from './store/sessions.ts';

const sessionCount = (sessions: number) => (sessions === 1 ? '1 session' : `${sessions.toLocaleString()} sessions`);
const turnCount = (turns: number) => (turns === 1 ? '1 turn' : `${turns.toLocaleString()} turns`);

/** Every word that a user reads, in one place, but for those of problems (problem-words.ts). Plain, short and true. */
export const words = {
  app: 'Holdfast',
  windowTitle: (title: string) => `${title} – Holdfast`,

  sessions: {
    heading: 'Sessions',
    create: 'New session',
    openList: 'Show sessions',
    closeList: 'Hide sessions',
    tabs: 'Open sessions',
    closeTab: 'Close tab',
    rename: 'Rename',
    export: 'Export…',
    titleField: 'Title of the session',
    delete: 'Delete',
    deleteForGood: 'Delete for good',
    deleteNamed: (title: string) => `Delete “${title}” for good?`,
    keep: 'Keep',
    more: 'Show earlier sessions',
    loading: 'Loading sessions…',
    noneYet: 'Sessions appear here. Each is kept until you delete it.',
    age: { today: 'Today', yesterday: 'Yesterday', earlier: 'Earlier' } satisfies Record<AgeGroup, string>,
    actions: (title: string) => `Actions for ${title}`,
  },

  welcome: {
    heading: 'What you write here is kept',
    body: 'Through dropped networks, server resets and restarts. Write below to begin.',
    pickUp: 'Write below to begin a session, or open one from the list.',
    shortcuts: 'Keyboard',
  },
  shortcuts: {
    create: 'New session',
    switch: 'Go to a tab',
    close: 'Close the tab',
    rename: 'Rename the session',
    stop: 'Stop the answer',
  },

  conversation: {
    log: (title: string) => `Messages in ${title}`,
    empty: 'Nothing here yet',
    emptyBody: 'Write a message below. It is on disk before it is sent.',
    loading: 'Loading the conversation…',
    loadFailed: 'The conversation could not be loaded.',
    loadAgain: 'Load again',
    loadingOlder: 'Loading earlier messages…',
    olderFailed: 'Earlier messages could not be loaded.',
    beginning: 'The beginning of this session',
    toLatest: 'Jump to latest',
    you: 'You',
    gemini: 'Gemini',
    demo: 'Demo',
    answering: 'Answering…',
    thinking: 'Thinking',
    toolArgs: 'Asked with',
    toolResult: 'Returned',
    toolRunning: 'running',
    toolCancelled: 'cancelled',
    toolDone: 'done',
    copy: 'Copy',
    copied: 'Copied',
    askAgain: 'Ask again',
    sendAgain: 'Send again',
    announce: (who: string, text: string) => `${who}: ${text}`,
    status: {
      queued: 'Kept. Not sent yet.',
      sent: 'Sent. Waiting for an answer.',
      stopped: 'Stopped.',
      interrupted: 'This answer was cut off by a lost connection. What had arrived is kept.',
      failed: 'This did not work.',
    } satisfies Partial<Record<TurnStatus, string>>,
    willBeSent: 'Will be sent when connected',
    willGoOn: 'Goes on when connected',
    questionStopped: 'Stopped before an answer came.',
    cutHere: 'Cut off here; it goes on below',
    goesOn: 'Goes on after the cut',
    unkept: 'Not kept yet. It goes out as soon as Holdfast can be reached.',
  },

  composer: {
    label: 'Message',
    placeholder: 'Write a message',
    send: 'Send',
    stop: 'Stop',
    hint: 'Enter sends, Shift+Enter starts a new line',
    unreached: 'Not kept yet. The text stays here until Holdfast has it.',
    tooLong: (over: number) => `Too long by ${over.toLocaleString()} characters. Split it into two messages.`,
  },

  link: {
    idle: 'Not connected until you write',
    connecting: 'Connecting',
    restoring: (turns: number) =>
      turns > 0 ? `Telling the server what came before (${turnCount(turns)})` : 'Telling the server what came before',
    live: {
      new: 'Live',
      resumed: 'Live · Resumed',
      'resumed-older': 'Live · Resumed from an older point',
      rebuilt: 'Live · Rebuilt from your history',
      summarised: 'Live · Told again as a summary',
    } satisfies Record<Restoration, string>,
    rotating: 'Changing to a fresh connection',
    rotatingUntil: (time: string) =>
      `The fresh connection takes over at the next break between answers, at ${time} at the latest.`,
    paused: { user: 'Paused', offline: 'Paused until there is a network' },
    since: (time: string) => `since ${time}`,
    sinceFor: (time: string, how: string) => `Since ${time}, for ${how}`,
    attempt: (problem: string, attempt: number, seconds: number) =>
      `${problem} Attempt ${attempt} ${seconds > 0 ? `in ${seconds} s` : 'now'}.`,
    waiting: 'Waiting to reconnect',
    tryingAgain: (seconds: number) => (seconds > 0 ? `trying again in ${seconds} s` : 'trying again now'),
    needsYou: 'Needs you',
    closed: 'Closed',
    unknown: 'Not known while Holdfast is out of reach',
    reconnectNow: 'Reconnect now',
    reconnectNowNote: 'Tries at once instead of waiting.',
    reconnectAnewNote: 'Gives up this attempt and begins another at once.',
    tryOffline: 'Tries to connect, though this device says that there is no network.',
    replaceNote: 'Takes a new connection in place of this one.',
    /** Added where an answer is under way. */
    cutsAnswer: {
      goesOn: 'The answer is cut there and goes on by itself.',
      left: 'The answer is cut there; you can ask again.',
    },
    connectNow: 'Connect now',
    connectNowNote: 'Connects before you write, so that the first answer comes sooner.',
    pause: 'Pause',
    pauseNote: 'Ends the connection until you go on. What you write meanwhile is kept and sent then.',
    resume: 'Go on',
    resumeNote: 'Connects again and sends what you wrote meanwhile.',
    fresh: 'Start fresh',
    freshNote: 'Takes a new connection and tells it this conversation from your history. Nothing here is deleted.',
    freshDone: 'Done. This connection is a new one.',
    freshNext: 'Done. The next connection is a new one and is told your history.',
    openSettings: 'Open settings',
    tryAgain: 'Try again',
  },

  health: {
    heading: 'Connection',
    open: 'Show the connection',
    close: 'Close',
    roundTrip: 'Round trip',
    firstWords: 'First words after',
    drops: 'Drops in the last hour',
    rotation: 'Next fresh connection',
    context: 'Context used',
    none: 'Not measured yet',
    notPlanned: 'Not planned',
    loading: 'Reading…',
    failed: 'These figures could not be read.',
    details: 'Details',
    tokens: (count: number) => (count === 1 ? '1 token' : `${count.toLocaleString()} tokens`),
    rotationAt: (time: string, wait: string) => `${time}, in ${wait}`,
    rotationNow: 'Now',
    history: 'Earlier connections',
    historyNone: 'None yet. Each connection is listed here when it ends.',
    lasted: (how: string) => `for ${how}`,
    ended: {
      lost: 'Lost',
      rotated: 'Replaced by a fresh one before its time ran out',
      paused: 'Paused',
      settings: 'Ended because settings changed',
      closed: 'Ended because the session was closed',
      idle: 'Ended because nothing was said for a while',
      fresh: 'Ended to start fresh',
    } satisfies Record<ConnectionRecord['why'], string>,
    restored: {
      new: 'Began new',
      resumed: 'Resumed by the server',
      'resumed-older': 'Resumed from an older point',
      rebuilt: 'Rebuilt from your history',
      summarised: 'Told again as a summary',
    } satisfies Record<Restoration, string>,
    neverReady: 'Never got as far as the conversation',
  },

  connection: {
    connecting: 'Connecting to Holdfast…',
    lost: 'Reconnecting to Holdfast…',
    lostBody: 'What you write stays in this window until it is back.',
    refusedHeading: 'Open the printed address again',
    refusedBody:
      'Holdfast is running but does not know this page. Open the address that it printed when it last started: the key to this page is in it.',
    refusedRetry: 'Load this page again',
  },

  demo: {
    banner: 'Demo: answers come from a simulator inside Holdfast, not from Gemini. Add an API key to talk to Gemini.',
    addKey: 'Add an API key',
  },

  notices: { heading: 'Notices', dismiss: 'Dismiss' },

  transfer: {
    heading: 'Your sessions',
    exportAll: 'Export all…',
    import: 'Import…',
    close: 'Close',
    cancel: 'Cancel',
    done: 'Done',
    exportOne: (title: string) => `Export “${title}”`,
    exportAllHeading: 'Export all sessions',
    format: 'Format',
    formats: {
      json: ['JSON', 'Comes back into Holdfast exactly as it is.'],
      markdown: ['Markdown', 'For notes and version control.'],
      html: ['Web page', 'For reading, printing and sending. It needs nothing beside it.'],
      text: ['Plain text', 'For anything that shows text.'],
    } satisfies Record<ExportFormat, readonly [string, string]>,
    export: 'Export',
    exporting: (done: number, total: number) => `${done.toLocaleString()} of ${sessionCount(total)}`,
    exported: (name: string, sessions: number) => `${sessionCount(sessions)} handed over as ${name}.`,
    importHeading: 'Import sessions',
    importBody:
      'Holdfast reads its own JSON files and the exports of ChatGPT, Claude, Google AI Studio and Gemini (Takeout), also as the zip files in which they were downloaded. What is here stays as it is.',
    copies: 'Import changed sessions again as copies',
    copiesNote: 'Where a session is here already, with other words in it than in the file.',
    choose: 'Choose files…',
    phases: {
      sending: 'Reading the files…',
      reading: 'Looking for sessions…',
      keeping: 'Keeping the sessions…',
    },
    keeping: (done: number, total: number) => `${done.toLocaleString()} of ${total.toLocaleString()}`,
    imported: (count: number) => `${sessionCount(count)} imported`,
    duplicates: (count: number) => `${count.toLocaleString()} already here`,
    skipped: (count: number) => `${count.toLocaleString()} skipped`,
    nothingNew: 'Nothing new in it. Nothing was changed.',
    nothingImported: 'Nothing was imported. Everything is as it was.',
    cancelled: 'Cancelled. Everything is as it was.',
    keepReadable: 'Import what can be read',
    details: {
      unreadable: 'Cannot be read',
      skipped: 'Skipped',
      partly: 'Imported, not with everything',
      duplicate: 'Already here',
      imported: 'Imported',
    },
    more: (count: number) => `and ${count.toLocaleString()} more`,
  },

  settings: {
    open: 'Settings',
    heading: 'Settings',
    close: 'Close',
    loading: 'Loading settings…',
    apiKey: 'Gemini API key',
    keyPlaceholder: 'Paste a key',
    keyReplace: 'Paste another key to replace it',
    keyNone: 'No key yet: the demo answers.',
    keyStored: (hint: string) => `A key ending in ${hint} is stored.`,
    keyStoredPlain: 'A key is stored.',
    keyEnvironment: (hint: string) => `A key ending in ${hint} comes from the environment.`,
    keyEnvironmentPlain: 'A key comes from the environment.',
    removeKey: 'Remove the key',
    removeQuestion: 'Without a key the demo answers.',
    remove: 'Remove',
    model: 'Model',
    modelNote: (name: string) => `By default ${name}.`,
    baseUrl: 'Base URL',
    baseUrlNote: 'Empty for Google’s own address.',
    baseUrlPlaceholder: 'wss://…',
    fixed: 'Set by the environment. It cannot be changed here.',
    reconnectNote: 'Sessions that are live now connect anew at their next message.',
    theme: 'Appearance',
    themes: { system: 'System', light: 'Light', dark: 'Dark' },
    cutAnswers: 'Go on with an answer that was cut',
    cutAnswersNote: 'Once, by itself, when the connection is back. Otherwise you are left to ask again.',
    timeout: 'Let a silent session rest after',
    timeoutNote: 'Nothing of it is lost: its next message is told the history.',
    minutes: (count: number) =>
      count % 60 !== 0 ? `${count} minutes` : count === 60 ? '1 hour' : `${count / 60} hours`,
    save: 'Save',
    saving: 'Saving…',
    cancel: 'Cancel',
    keep: 'Keep',
    dataDir: 'Data',
    version: 'Version',
  },
};

/** What a link says of itself in one line, without a running count. */
export function linkWords(link: LinkState): string {
  switch (link.kind) {
    case 'idle':
      return words.link.idle;
    case 'connecting':
      return words.link.connecting;
    case 'restoring':
      return words.link.restoring(link.turns);
    case 'live':
      return words.link.live[link.restored];
    case 'rotating':
      return words.link.rotating;
    case 'waiting':
      return words.link.waiting;
    case 'paused':
      return words.link.paused[link.by];
    case 'needs-you':
      return `${words.link.needsYou}: ${link.problem.message}`;
    case 'closed':
      return words.link.closed;
  }
}

/** What happened to the connection at a point of the conversation. `turns`: how many were told again. */
export function noteWords(note: Note, turns: number): string {
  switch (note) {
    case 'resumed':
      return 'Resumed by the server';
    case 'resumed-older':
      return `Resumed from an older point; what came after was told again (${turnCount(turns)})`;
    case 'rebuilt':
      return `Rebuilt from your history (${turnCount(turns)})`;
    case 'summarised':
      return `Told again as a summary (${turnCount(turns)})`;
    case 'context-lost':
      return 'The server had forgotten the conversation; it is told again at the next message';
  }
}

const MENDED_IN_SETTINGS: ReadonlySet<ProblemCode> = new Set([
  'key_invalid',
  'key_expired',
  'model_not_found',
  'setup_rejected',
  'quota_exceeded',
]);

/** Whether the settings are where a problem of this code is mended. */
export function isMendedInSettings(code: ProblemCode): boolean {
  return MENDED_IN_SETTINGS.has(code);
}
