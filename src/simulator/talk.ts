import { beats, burstBeats, type AnswerPart, type Beat, type Delivery, type Speech } from './answer.ts';
import { closes } from './closes.ts';
import { reply, type Conversation, type PlannedCall } from './demo/index.ts';
import type { Line } from './line.ts';
import { contextTokens, makeRoom, type Session } from './memory.ts';
import type { ModelCapabilities } from './models.ts';
import { randomText } from './random.ts';
import type { ScriptAction } from './script.ts';
import { createToolRounds, type IssuedCall, type ToolRound } from './tool-rounds.ts';
import { addTokens, audioTokens, contentTokens, noTokens, textTokens, usageMetadata, type Tokens } from './usage.ts';
import {
  textOf,
  type Content,
  type FunctionResponses,
  type ServerFrame,
  type Setup,
  type ToolDeclaration,
} from './wire.ts';
import type { World } from './world.ts';

/** What a connection is about once its setup is accepted. */
export interface Live {
  readonly session: Session;
  readonly setup: Setup;
  readonly model: ModelCapabilities;
  readonly modality: 'AUDIO' | 'TEXT';
  system: string;
  tools: readonly ToolDeclaration[];
}

/** The outgoing half of the conversation: answers, their interruption, tool calls and the handles that cover them. */
export interface Talk {
  /** The user's turn is complete. */
  answer(now: number): void;
  /** The user speaks, types or adds context: a running answer ends here. */
  interrupt(now: number): void;
  /** Says something unasked. */
  speakUp(text: string, now: number): void;
  /** `false`: the response belongs to no call of this connection. */
  takeToolResponse(responses: FunctionResponses, now: number): boolean;
  cancelCalls(now: number): void;
  offerHandle(resumable: boolean, now: number): void;
  newestHandle(): string | undefined;
  /** Hears, but answers nothing any more. */
  setDeaf(deaf: boolean): void;
  /** Counts audio into the session. `false`: it was too much and the connection is closed. */
  addAudio(ms: number): boolean;
}

interface Answer {
  readonly number: number;
  /** The user's words that it answers. */
  readonly asked: string;
  readonly omit: ReadonlySet<AnswerPart>;
  /** `generated`: nothing is left to say, `turnComplete` is not sent yet. */
  stage: 'speaking' | 'calling' | 'generated';
  said: string;
  frames: number;
  thoughts: number;
  /** The context that the model read before it spoke. */
  prompt: Tokens;
  response: Tokens;
  round: ToolRound | undefined;
}

/** The model waits for playback before it completes a turn; a sign of it, not its length. */
const COMPLETION_MS = 40;
const CALL_ID_DIGITS = 19;
/** Actions of which the first decides the answer. */
const DECIDING = new Set(['say', 'call', 'burst']);

type Decision = Extract<ScriptAction, { kind: 'say' | 'call' | 'burst' }>;

function speechOf(fields: Omit<Extract<ScriptAction, { kind: 'say' }>, 'kind'>, thought: string): Speech {
  return {
    pieces: fields.pieces ?? { text: fields.text ?? '' },
    thought: fields.thought === undefined ? thought : (fields.thought ?? ''),
    everyMs: fields.everyMs,
  };
}

export function createTalk(world: World, line: Line, live: Live, clientMessageIndex: () => number): Talk {
  const { session, setup, model } = live;
  const rounds = createToolRounds();
  let answer: Answer | undefined;
  let answers = 0;
  let deaf = false;
  let newestHandle: string | undefined;
  /** Results that wait for the model to fall silent (`WHEN_IDLE`). */
  let whenIdle: ToolRound[] = [];

  const wantsHandles = (): boolean => setup.sessionResumption !== undefined || world.script().handles.unrequested;

  function sendHandle(resumable: boolean, now: number): void {
    const newHandle = resumable ? world.memory.issueHandle(session, now) : undefined;
    const index =
      setup.sessionResumption?.transparent === true
        ? { lastConsumedClientMessageIndex: String(clientMessageIndex()) }
        : {};
    const update = { ...(newHandle === undefined ? {} : { newHandle }), resumable, ...index };
    line.emit({ sessionResumptionUpdate: update }, now, (at) => {
      if (newHandle === undefined) return;
      newestHandle = newHandle;
      line.fire('handle', at);
    });
  }

  function conversation(contents: readonly Content[]): Conversation {
    return { contents, system: live.system, tools: live.tools, wallTime: world.wallTime(), timeZone: world.timeZone };
  }

  function remembered(): readonly Content[] {
    return session.entries.map((entry) => entry.content);
  }

  function lastAsked(): string {
    const content = remembered().findLast(
      ({ role, parts }) => role !== 'model' && parts?.every((part) => part.functionResponse === undefined),
    );
    return content === undefined ? '' : textOf(content);
  }

  /** What was said goes into memory once, at the end of the answer or where it was cut. */
  function rememberSaid(current: Answer): void {
    if (current.said === '') return;
    const content: Content = { role: 'model', parts: [{ text: current.said }] };
    world.memory.append(session, content, contentTokens(content));
    current.said = '';
  }

  function delivery(current: Answer): Delivery {
    const { quirks } = world.script();
    return {
      modality: live.modality,
      transcribe: setup.outputAudioTranscription !== undefined,
      pace: world.pace,
      audio: world.audio,
      omit: current.omit,
      coalesce: quirks.coalesce,
      emptyContent: quirks.emptyContentEvery > 0 && current.number % quirks.emptyContentEvery === 0,
      random: world.random,
    };
  }

  function begin(asked: string, omit: ReadonlySet<AnswerPart>, now: number): Answer {
    answers += 1;
    const begun: Answer = {
      number: answers,
      asked,
      omit,
      stage: 'speaking',
      said: '',
      frames: 0,
      thoughts: 0,
      prompt: contextTokens(session),
      response: noTokens,
      round: undefined,
    };
    answer = begun;
    if (wantsHandles()) sendHandle(false, now);
    return begun;
  }

  function fire(event: Parameters<Line['fire']>[0], now: number, current: Answer, nth?: number): void {
    line.fire(event, now, { turn: current.number, text: current.asked, nth });
  }

  function addAudio(ms: number): boolean {
    session.audioMs += ms;
    const limit = world.script().lifetime.sessionAudioMs;
    if (limit === null || session.audioMs <= limit || setup.contextWindowCompression !== undefined) return true;
    line.close(closes.aborted);
    return false;
  }

  /** Sends beat after beat until `done`; an interruption takes the rest off the schedule. */
  function play(current: Answer, source: Iterator<Beat, void>, from: number, done: (now: number) => void): void {
    const next = source.next();
    if (next.done === true) return done(from);
    const beat = next.value;
    line.schedule.add(from + beat.afterMs, 'answer', (at) => {
      line.emit(beat.frame, at, (sentAt) => {
        current.frames += 1;
        fire('delta', sentAt, current, current.frames);
      });
      if (line.ended) return;
      current.said += beat.said;
      const part = beat.frame.serverContent?.modelTurn?.parts?.[0];
      if (part?.thought === true) current.thoughts += textTokens(part.text ?? '');
      const text = live.modality === 'TEXT' ? textTokens(beat.said) : 0;
      current.response = addTokens(current.response, { ...noTokens, text, audio: audioTokens(beat.audioMs) });
      if (beat.audioMs === 0 || addAudio(beat.audioMs)) play(current, source, at, done);
    });
  }

  /** @param then `goOn`: results that waited for silence may be spoken now */
  function complete(current: Answer, now: number, then: 'goOn' | 'yield'): void {
    // A handle made now covers what was said, so memory comes first.
    rememberSaid(current);
    answer = undefined;
    const usage = usageMetadata({
      context: current.prompt,
      systemText: live.system,
      toolsText: live.tools.length === 0 ? '' : JSON.stringify(live.tools),
      response: current.response,
      thoughts: current.thoughts,
      untidy: world.script().quirks.untidyUsage,
    });
    const whole = current.stage === 'generated';
    const together = world.script().quirks.coalesce && whole && !current.omit.has('generationComplete');
    if (!current.omit.has('turnComplete')) {
      const frame: ServerFrame = {
        serverContent: { ...(together ? { generationComplete: true } : {}), turnComplete: true },
        ...(current.omit.has('usage') ? {} : { usageMetadata: usage }),
      };
      line.emit(frame, now, (at) => fire('turnComplete', at, current));
    }
    if (line.ended) return;
    if (wantsHandles() && !current.omit.has('handle') && !current.omit.has('turnComplete')) sendHandle(true, now);
    if (line.ended || then === 'yield') return;
    const round = whenIdle.shift();
    if (round !== undefined) answerRound(round, now);
  }

  function finish(current: Answer, now: number): void {
    current.stage = 'generated';
    const together = world.script().quirks.coalesce;
    if (!together && !current.omit.has('generationComplete')) {
      line.emit({ serverContent: { generationComplete: true } }, now, (at) => fire('generated', at, current));
    }
    if (line.ended) return;
    rememberSaid(current);
    line.schedule.add(now + (world.pace === 'instant' ? 0 : COMPLETION_MS), 'answer', (at) =>
      complete(current, at, 'goOn'),
    );
  }

  function say(current: Answer, speech: Speech, now: number): void {
    current.stage = 'speaking';
    const thought = model.thoughts ? speech.thought : '';
    play(current, beats({ ...speech, thought }, delivery(current)), now, (at) => finish(current, at));
  }

  function isBlocking(calls: readonly PlannedCall[]): boolean {
    if (!model.asynchronousFunctions) return true;
    return calls.some((call) => live.tools.find((tool) => tool.name === call.name)?.behavior === 'BLOCKING');
  }

  function call(
    current: Answer,
    calls: readonly (PlannedCall & { readonly id?: string | undefined })[],
    options: { readonly thenSay?: Speech | undefined; readonly cancelAfterMs?: number | undefined },
    now: number,
  ): void {
    rememberSaid(current);
    const issued: readonly IssuedCall[] = calls.map(({ id, name, args }) => ({
      id: id ?? `function-call-${randomText(world.random, CALL_ID_DIGITS, '0123456789')}`,
      name,
      args: { ...args },
    }));
    const content: Content = {
      role: 'model',
      parts: issued.map(({ id, name, args }) => ({ functionCall: { id, name, args } })),
    };
    current.stage = 'calling';
    current.round = rounds.open(issued, isBlocking(calls), options.thenSay);
    current.response = addTokens(current.response, contentTokens(content));
    world.memory.append(session, content, contentTokens(content));
    line.emit({ toolCall: { functionCalls: issued.map(({ name, args, id }) => ({ name, args, id })) } }, now, (at) =>
      fire('toolCall', at, current),
    );
    if (options.cancelAfterMs !== undefined) line.schedule.add(now + options.cancelAfterMs, 'answer', cancelCalls);
  }

  function carryOut(current: Answer, decision: Decision, thought: string, now: number): void {
    switch (decision.kind) {
      case 'say':
        return say(current, speechOf(decision, thought), now);
      case 'burst':
        return play(current, burstBeats(decision.count, decision.size, decision.perSecond), now, (at) =>
          finish(current, at),
        );
      case 'call': {
        const thenSay = decision.thenSay === undefined ? undefined : speechOf(decision.thenSay, '');
        const issue = (at: number): void =>
          call(current, decision.calls, { thenSay, cancelAfterMs: decision.cancelAfterMs }, at);
        if (decision.meanwhile === undefined) return issue(now);
        return play(
          current,
          beats({ pieces: { text: decision.meanwhile }, thought: '' }, delivery(current)),
          now,
          issue,
        );
      }
    }
  }

  function start(now: number): void {
    const fits = makeRoom(world.memory, session, model.inputTokenLimit, setup.contextWindowCompression);
    if (!fits) return line.close(closes.invalidArgument);
    const asked = lastAsked();
    const decisions = line.fire('turn', now, { turn: answers + 1, text: asked });
    if (line.ended || deaf) return;
    const omit = new Set(decisions.flatMap((action) => (action.kind === 'omit' ? action.what : [])));
    const current = begin(asked, omit, now);
    if (line.ended) return;
    const scripted =
      (decisions.find((action) => DECIDING.has(action.kind)) as Decision | undefined) ??
      world.script().answers.find(({ match }) => new RegExp(match, 'iu').test(asked))?.do;
    if (scripted !== undefined) return carryOut(current, scripted, '', now);
    const made = reply(conversation(remembered()));
    if (made.kind === 'call') return call(current, made.calls, {}, now);
    return say(current, { pieces: { text: made.text }, thought: made.thought }, now);
  }

  /** Words for the results of a round, as an answer of their own or as the rest of the one that called. */
  function answerRound(round: ToolRound, now: number): void {
    const current = answer ?? begin('', new Set(), now);
    if (line.ended) return;
    current.round = undefined;
    current.prompt = contextTokens(session);
    if (round.thenSay !== undefined) return say(current, round.thenSay, now);
    const made = reply(conversation([{ role: 'user', parts: round.responses }]));
    if (made.kind === 'say') say(current, { pieces: { text: made.text }, thought: made.thought }, now);
  }

  function takeRound(round: ToolRound, now: number): void {
    const content: Content = { role: 'user', parts: round.responses };
    world.memory.append(session, content, contentTokens(content));
    const silent = round.scheduling === 'SILENT';
    if (answer?.round === round) return silent ? finish(answer, now) : answerRound(round, now);
    if (silent || deaf) return;
    if (round.scheduling === 'INTERRUPT') interrupt(now);
    if (line.ended) return;
    if (answer === undefined) answerRound(round, now);
    else whenIdle.push(round);
  }

  function interrupt(now: number): void {
    const current = answer;
    if (current === undefined) return;
    line.schedule.cancel('answer');
    const cancelled = rounds.cancel('blocking');
    if (cancelled.length > 0) line.emit({ toolCallCancellation: { ids: [...cancelled] } }, now);
    // Nothing is being generated while a call is out that does not block, or once all is said: the turn just ends.
    if (current.stage === 'generated') return complete(current, now, 'yield');
    if (current.stage === 'calling' && cancelled.length === 0) {
      line.emit({ serverContent: { generationComplete: true } }, now);
      return complete(current, now, 'yield');
    }
    line.emit({ serverContent: { interrupted: true } }, now);
    complete(current, now, 'yield');
  }

  function cancelCalls(now: number): void {
    const ids = rounds.cancel('all');
    if (ids.length === 0) return;
    line.emit({ toolCallCancellation: { ids: [...ids] } }, now);
    if (answer?.stage === 'calling') finish(answer, now);
  }

  return {
    answer: (now) => {
      interrupt(now);
      if (!line.ended) start(now);
    },
    interrupt,
    speakUp(text, now) {
      interrupt(now);
      if (!line.ended) say(begin('', new Set(), now), { pieces: { text }, thought: '' }, now);
    },
    takeToolResponse(responses, now) {
      const accepted = rounds.accept(responses);
      if (!accepted.ok) return false;
      for (const round of accepted.complete) if (!line.ended) takeRound(round, now);
      return true;
    },
    cancelCalls,
    offerHandle: sendHandle,
    newestHandle: () => newestHandle,
    setDeaf(value) {
      deaf = value;
    },
    addAudio,
  };
}
