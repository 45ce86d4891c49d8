/** A bug to be planted: texts of the sources, each standing exactly once in its file, and what comes in their place. */
export interface Mutant {
  readonly name: string;
  /** What is wrong then, in a few words. */
  readonly bug: string;
  readonly edits: readonly Edit[];
}

interface Edit {
  /** From the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const edit = (file: string, find: string, replace: string): Edit => ({ file, find, replace });
const machine = (file: string, find: string, replace: string) => edit(`src/live/machine/${file}.ts`, find, replace);
const sessions = (file: string, find: string, replace: string) => edit(`src/sessions/${file}.ts`, find, replace);
const context = (find: string, replace: string) => edit('src/sessions/context.ts', find, replace);

/** Bugs that people make in clients of this kind. */
export const mutants: readonly Mutant[] = [
  {
    name: 'asks-again-after-answer',
    bug: 'an answer that was cut is asked for by its question again',
    edits: [machine('lose', 'continuation: true, spoke: false, losses: 0', 'spoke: false, losses: 0')],
  },
  {
    name: 'forgets-to-requeue',
    bug: 'a turn that was handed to a lost connection stays as sent',
    edits: [
      machine(
        'lose',
        'patchTurn(draft, turnId, { ...AGAIN, losses, deaths });',
        'patchTurn(draft, turnId, { losses, deaths });',
      ),
    ],
  },
  {
    name: 'keeps-poisoned-handle',
    bug: 'a handle that connects and dies is used again',
    edits: [
      machine(
        'lose',
        'HANDLE_REFUSED.has(problem.code))) {\n      retireRung(draft, plan.rung.handle);',
        'HANDLE_REFUSED.has(problem.code))) {',
      ),
    ],
  },
  {
    name: 'stores-handle-in-mid-turn',
    bug: 'a handle that came while an answer was due is kept as if it covered it',
    edits: [machine('ladder', "if (consumed === undefined || turn?.stage !== 'sent') return false;", '')],
  },
  {
    name: 'dials-before-the-old-is-down',
    bug: 'the next connection is opened while the last is closing',
    edits: [machine('leave', "startTimer(draft, 'leave', config.leaveGrace);", 'gone(draft);')],
  },
  {
    name: 'last-in-first-out',
    bug: 'the newest of the waiting turns is sent first',
    edits: [machine('ask', 'const turn = data.outbox[0];', 'const turn = data.outbox.at(-1);')],
  },
  {
    name: 'sends-two-at-once',
    bug: 'a question is sent while the last is being answered',
    edits: [machine('ask', 'if (outstanding(data) !== undefined) return;', '')],
  },
  {
    name: 'no-breaker',
    bug: 'nothing bounds the number of dials',
    edits: [machine('connect', 'if (data.dials.length >= limit) {', 'if (data.dials.length < 0) {')],
  },
  {
    name: 'waits-without-a-timer',
    bug: 'the next try is announced and never made',
    edits: [machine('wait', "startTimer(draft, 'retry', Math.max(0, until - at));", "stopTimer(draft, 'retry');")],
  },
  {
    name: 'leaves-the-dial-timer',
    bug: 'the watch over the setup goes on when it is over',
    edits: [
      machine(
        'connect',
        "if (connection?.stage !== 'setup') return;\n  stopTimer(draft, 'dial');",
        "if (connection?.stage !== 'setup') return;",
      ),
    ],
  },
  {
    name: 'no-watch-over-answers',
    bug: 'a server that never answers is waited for without end',
    edits: [
      machine(
        'ask',
        "startTimer(draft, 'answer', unproven ? config.deafAfter : config.answerSilence);",
        'void unproven;',
      ),
    ],
  },
  {
    name: 'loses-the-outbox-on-pause',
    bug: 'what waited to be sent is gone after a pause',
    edits: [
      machine(
        'machine',
        "enter(draft, { kind: 'paused', by: 'user' });",
        "enter(draft, { kind: 'paused', by: 'user' });\n      data.outbox = [];",
      ),
    ],
  },
  {
    name: 'watermark-one-too-many',
    bug: 'a handle is said to cover one turn more than it does',
    edits: [context('return covered;', 'return covered + 1;')],
  },
  {
    name: 'watermark-one-too-few',
    bug: 'a handle is said to cover one turn less than it does',
    edits: [context('return covered;', 'return Math.max(0, covered - 1);')],
  },
  {
    name: 'history-on-top-of-a-handle',
    bug: 'a resumed server is told everything once more',
    edits: [context('return covered;', 'return 0 * covered;')],
  },
  {
    name: 'tells-what-waits',
    bug: 'a question is told as history and asked as well',
    edits: [context('waiting.has(turn.id) || ', 'waiting.has("") || ')],
  },
  {
    name: 'believes-a-replay',
    bug: 'what a resumed server says once more is taken for the answer',
    edits: [machine('answer', 'if (isReplay(draft, signal)) return;', '')],
  },
  {
    name: 'shows-live-while-down',
    bug: 'a lost connection is shown as live',
    edits: [
      machine(
        'state',
        "case 'redial':\n      return { kind: 'connecting', since };",
        "case 'redial':\n      return { kind: 'live', since, restored: 'new' };",
      ),
    ],
  },
  {
    name: 'never-rotates-at-the-margin',
    bug: 'a rotation that finds no boundary is never made',
    edits: [
      machine(
        'machine',
        "if (phase.kind !== 'rotating' || connection?.stage !== 'ready') return;",
        "if (phase.kind === 'rotating' || connection?.stage !== 'ready') return;",
      ),
    ],
  },
  {
    name: 'stops-after-rotation',
    bug: 'a rotation hangs up and dials no more',
    edits: [
      machine(
        'leave',
        "if (phase.kind === 'rotating' || phase.kind === 'redial') connect(draft);",
        "if (phase.kind === 'redial') connect(draft);",
      ),
    ],
  },
  {
    name: 'ignores-go-away',
    bug: 'the announced end of a connection is waited for',
    edits: [machine('answer', 'rotate(draft, at + Math.max(0, left - config.goAwayMargin));', 'void left;')],
  },
  {
    name: 'hears-the-old-connection',
    bug: 'what comes of an earlier connection is taken for the present one',
    edits: [machine('machine', "if ('epoch' in input && input.epoch !== data.connection?.epoch) return;", '')],
  },
  {
    name: 'backoff-forgets-at-once',
    bug: 'a connection that was set up resets the backoff',
    edits: [machine('connect', "startTimer(draft, 'healthy', config.healthyAfter);", 'data.attempts = 0;')],
  },
  {
    name: 'no-settling',
    bug: 'the next question goes out before the handle of the last answer has come',
    edits: [
      machine(
        'answer',
        "data.settling = true;\n    startTimer(draft, 'settle', suspect",
        "data.settling = false;\n    startTimer(draft, 'settle', suspect",
      ),
    ],
  },
  {
    name: 'goes-deaf-for-good',
    bug: 'a handle that hears and never answers is used again',
    edits: [
      machine(
        'lose',
        "(problem.code === 'setup_rejected' || problem.code === 'server_silent')",
        "problem.code === 'setup_rejected'",
      ),
    ],
  },
  {
    name: 'asks-what-the-link-has',
    bug: 'a turn whose end is not on disk yet is handed to the link once more',
    edits: [sessions('conversation', ' || transcript.isInHand(turn.id)) continue;', ') continue;')],
  },
  {
    name: 'asks-anew-after-a-restart',
    bug: 'a program that starts again forgets that an answer had begun',
    edits: [sessions('conversation', 'link.ask(turn.id, turn.continues !== undefined);', 'link.ask(turn.id);')],
  },
  {
    name: 'renews-old-watermarks',
    bug: 'an older handle is said to cover what only the newest does',
    edits: [sessions('opening', 'covered.get(handle) ?? covers]', 'covers]')],
  },
  {
    name: 'stores-handles-too-early',
    bug: 'the watermark is taken before the words that it stands for are on disk',
    edits: [
      sessions(
        'transcript',
        '        ports.keepLadder(fact, coveredIndex(state.session.turnCount, state.underWay));\n        return;',
        '        return;',
      ),
      sessions(
        'transcript',
        "      case 'not-the-answer':\n      case 'answered':\n        spoken = '';",
        "      case 'ladder':\n        ports.keepLadder(fact, coveredIndex(state.session.turnCount, state.underWay));\n        return;\n      case 'not-the-answer':\n      case 'answered':\n        spoken = '';",
      ),
    ],
  },
  {
    name: 'tells-without-the-last-words',
    bug: 'a server is told the history without the words that are on their way to the disk',
    edits: [sessions('transcript', 'turns.push({ ...begun, parts:', 'turns.push({ ...begun, role: "note", parts:')],
  },
  {
    name: 'is-behind-its-own-archive',
    bug: 'the archive claims words that it does not have',
    edits: [
      sessions(
        'record',
        'const behind = [...unsaved].flatMap((id) => turns.get(id) ?? []);',
        'const behind: Turn[] = [];',
      ),
    ],
  },
  {
    name: 'holds-questions-while-rotating',
    bug: 'a rotation waits for a handle that never comes, and the question with it',
    edits: [
      machine(
        'leave',
        'const until = Math.min(data.phase.until, at + moment);',
        'const { until } = data.phase;\n  void moment;',
      ),
    ],
  },
  {
    name: 'forgets-words-on-a-full-disk',
    bug: 'what a full disk did not take is not written again',
    edits: [sessions('conversation', 'if (closing) throw error;', 'if (!closing) return;')],
  },
  {
    name: 'loses-what-is-written-while-closing',
    bug: 'a tab that is closed while something is written to it is not opened again',
    edits: [sessions('sessions', "if (record.status === 'open') await find(sessionId);", '')],
  },
];
