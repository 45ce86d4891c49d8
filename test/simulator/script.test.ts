import { describe, expect, it } from 'vitest';
import { closes, cutReason, parseScript } from '../../src/simulator/index.ts';

const issuesOf = (json: unknown): readonly string[] => {
  const parsed = parseScript(json);
  return parsed.ok ? [] : parsed.issues;
};
const rule = (event: string, action: Record<string, unknown>, when: Record<string, unknown> = {}): unknown => ({
  rules: [{ when: { event, ...when }, do: action }],
});

describe('a script', () => {
  it('may be empty', () => {
    expect(parseScript({})).toMatchObject({ ok: true });
  });

  it.each([
    ['an unknown key', { speed: 1 }, 'speed'],
    ['an unknown event', rule('lunch', { kind: 'drop' }), 'rules.0.when.event'],
    ['an unknown action', rule('turn', { kind: 'sing' }), 'rules.0.do'],
    ['an answer outside a turn', rule('ready', { kind: 'say', text: 'x' }), 'rules.0.do.kind'],
    ['a refused upgrade after the upgrade', rule('open', { kind: 'refuse', status: 403 }), 'rules.0.do.kind'],
    ['a close before the upgrade', rule('dial', { kind: 'close', code: 1011 }), 'rules.0.do.kind'],
    ['a code that must not be sent', rule('turn', { kind: 'close', code: 1006 }), 'rules.0.do.code'],
    ['an HTTP status that upgrades', rule('dial', { kind: 'refuse', status: 101 }), 'rules.0.do.status'],
    ['a broken pattern', rule('turn', { kind: 'drop' }, { text: '(' }), 'rules.0.when.text'],
    ['a late decision', rule('turn', { kind: 'say', text: 'x' }, { afterMs: 5 }), 'rules.0.when.afterMs'],
    ['connection 0', rule('turn', { kind: 'drop' }, { connection: 0 }), 'rules.0.when.connection'],
    ['a list', [], 'script'],
    ['nothing', null, 'script'],
  ])('with %s is refused, and the issue names the place', (_, json, place) => {
    expect(issuesOf(json).join('\n')).toContain(place);
  });
});

describe('a close reason', () => {
  it('is cut at 123 bytes, as quota is on the wire', () => {
    const cut = cutReason(closes.quota.reason);
    expect(Buffer.byteLength(cut)).toBe(123);
    expect(cut).toMatch(/^You exceeded your current quota/);
  });

  it('is never cut within a character', () => {
    const cut = cutReason('ä'.repeat(100));
    expect(Buffer.byteLength(cut)).toBe(122);
    expect(cut).not.toContain('\ufffd');
  });
});
