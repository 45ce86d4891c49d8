import { beats, burstBeats, type AnswerPart, type Beat, type Delivery, type Speech } from './answer.ts';
import { closes } from './closes.ts';
import { createHandleOffers } from './handle-offers.ts';
import type { Line } from './line.ts';
import { contextTokens, makeRoom, type Session } from './memory.ts';
import type { ModelCapabilities } from './models.ts';
import { lastAsked, plainSpeech, planAnswer, planResult, type Plan } from './plan.ts';
import { randomText } from './random.ts';
import { createToolRounds, type IssuedCall, type ToolRound } from './tool-rounds.ts';
import { addTokens, audioTokens, contentTokens, noTokens, textTokens, usageMetadata, type Tokens } from './usage.ts';
import type { Content, FunctionResponses, ServerFrame, Setup, ToolDeclaration } from './wire.ts';
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
  /** The user's turn is complete: it is answered at once, whatever was being said. */
  answer(now: number): void;
  /** As `answer`, but lets a running answer come to its end. */
  answerWhenFree(now: number): void;
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
export function createTalk(world: World, line: Line, live: Live, clientMessageIndex: () => number): Talk {
  const { session, setup, model } = live;
  const rounds = createToolRounds();
  const handles = createHandleOffers(world, line, session, setup, clientMessageIndex);
  let answer: Answer | undefined;
  let answers = 0;
  let deaf = false;
  /** Results that wait for the model to fall silent (`WHEN_IDLE`). */
  const whenIdle: ToolRound[] = [];
  /** A turn that waits for the running answer to end. */
  let turnWaits = false;

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
    if (handles.wanted()) handles.send(false, now);
    return begun;
  }

  function fire(event: Parameters<Line['fire']>[0], now: number, current: Answer, nth?: number): void {
    line.fire(event, now, { turn: current.number, text: current.asked, nth });
  }

  /** `false`: a rule that struck just now ended the line, or made the model say something else. */
  function runs(current: Answer): boolean {
    return !line.ended && answer === current;
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
      if (!runs(current)) return;
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
    // A rule may have ended the line by now, or have made the model speak up.
    const free = (): boolean => !line.ended && answer === undefined;
    const covered = handles.wanted() && !current.omit.has('handle') && !current.omit.has('turnComplete');
    if (free() && covered) handles.send(true, now);
    if (!free() || then === 'yield') return;
    if (turnWaits) return start(now);
    const round = whenIdle.shift();
    if (round !== undefined) answerRound(round, now);
  }

  function finish(current: Answer, now: number): void {
    current.stage = 'generated';
    const together = world.script().quirks.coalesce;
    if (!together && !current.omit.has('generationComplete')) {
      line.emit({ serverContent: { generationComplete: true } }, now, (at) => fire('generated', at, current));
    }
    if (!runs(current)) return;
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

  function isBlocking(calls: readonly { readonly name: string }[]): boolean {
    if (!model.asynchronousFunctions) return true;
    return calls.some((call) => live.tools.find((tool) => tool.name === call.name)?.behavior === 'BLOCKING');
  }

  function call(current: Answer, plan: Extract<Plan, { kind: 'call' }>, now: number): void {
    rememberSaid(current);
    const issued: readonly IssuedCall[] = plan.calls.map(({ id, name, args }) => ({
      id: id ?? `function-call-${randomText(world.random, CALL_ID_DIGITS, '0123456789')}`,
      name,
      args: { ...args },
    }));
    const functionCalls = issued.map(({ id, name, args }) => ({ name, args, id }));
    const content: Content = { role: 'model', parts: functionCalls.map((functionCall) => ({ functionCall })) };
    current.stage = 'calling';
    current.round = rounds.open(issued, isBlocking(plan.calls), plan.thenSay);
    current.response = addTokens(current.response, contentTokens(content));
    world.memory.append(session, content, contentTokens(content));
    line.emit({ toolCall: { functionCalls } }, now, (at) => fire('toolCall', at, current));
    if (plan.cancelAfterMs !== undefined) line.schedule.add(now + plan.cancelAfterMs, 'line', cancelCalls);
  }

  function carryOut(current: Answer, plan: Plan, now: number): void {
    switch (plan.kind) {
      case 'say':
        return say(current, plan.speech, now);
      case 'burst': {
        const flood = burstBeats(plan.count, plan.size, plan.perSecond);
        return play(current, flood, now, (at) => finish(current, at));
      }
      case 'call': {
        if (plan.meanwhile === undefined) return call(current, plan, now);
        const aside = beats(plainSpeech(plan.meanwhile), delivery(current));
        return play(current, aside, now, (at) => call(current, plan, at));
      }
    }
  }

  function context(): Parameters<typeof planAnswer>[1] {
    return { session, system: live.system, tools: live.tools };
  }

  function start(now: number): void {
    turnWaits = false;
    const fits = makeRoom(world.memory, session, model.inputTokenLimit, setup.contextWindowCompression);
    if (!fits) return line.close(closes.invalidArgument);
    const asked = lastAsked(session);
    const struck = line.fire('turn', now, { turn: answers + 1, text: asked });
    if (line.ended || deaf) return;
    const omit = new Set(struck.flatMap((action) => (action.kind === 'omit' ? action.what : [])));
    const current = begin(asked, omit, now);
    carryOut(current, planAnswer(world, context(), asked, struck), now);
  }

  /** Words for the results of a round, as an answer of their own or as the rest of the one that called. */
  function answerRound(round: ToolRound, now: number): void {
    const current = answer ?? begin('', new Set(), now);
    current.round = undefined;
    current.prompt = contextTokens(session);
    carryOut(current, planResult(world, context(), round), now);
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
    answerWhenFree(now) {
      if (answer === undefined) start(now);
      else turnWaits = true;
    },
    interrupt,
    speakUp(text, now) {
      interrupt(now);
      if (!line.ended) say(begin('', new Set(), now), plainSpeech(text), now);
    },
    takeToolResponse(responses, now) {
      const accepted = rounds.accept(responses);
      if (!accepted.ok) return false;
      for (const round of accepted.complete) if (!line.ended) takeRound(round, now);
      return true;
    },
    cancelCalls,
    offerHandle: handles.send,
    newestHandle: handles.newest,
    setDeaf(value) {
      deaf = value;
    },
    addAudio,
  };
}
