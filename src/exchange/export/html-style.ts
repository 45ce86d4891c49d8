/** The style of an exported page, after the app's own: quiet, on a grid of 4 px, in the system's fonts. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1c2327; --soft: #5d6a71; --line: #dfe5e8; --raised: #f4f7f8; --sea: #0b6477; --amber: #8a5a00;
}
@media (prefers-color-scheme: dark) {
  :root { --paper: #12171a; --ink: #e4eaed; --soft: #93a1a9; --line: #2b353a; --raised: #1a2125; --sea: #63c1d4; --amber: #e0b060; }
}
* { box-sizing: border-box; }
html { font: 16px/1.6 system-ui, sans-serif; background: var(--paper); color: var(--ink); }
body { max-width: 48rem; margin: 0 auto; padding: 32px 16px; overflow-wrap: anywhere; }
h1, h2 { font-size: 1.5rem; line-height: 1.3; font-weight: 600; margin: 0; text-wrap: balance; }
article + article { margin-top: 64px; padding-top: 32px; border-top: 1px solid var(--line); }
a { color: var(--sea); }
.when, .by, .note, .ending, footer, time, summary { color: var(--soft); font-size: 0.875rem; }
.when { margin: 4px 0 32px; }
.turn { margin: 24px 0; }
.turn.user { background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: 12px 16px; }
.by { margin: 0 0 4px; display: flex; flex-wrap: wrap; gap: 0 12px; justify-content: space-between; }
.by b { color: var(--ink); font-weight: 600; }
.turn.model .by b { color: var(--sea); }
.text { white-space: pre-wrap; tab-size: 4; }
.text + .text, .text + pre, pre + .text, details + .text { margin-top: 12px; }
code, pre { font: 0.875rem/1.5 ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, monospace; }
:not(pre) > code { background: var(--raised); border-radius: 4px; padding: 1px 4px; }
pre { background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: 12px 16px; margin: 12px 0; overflow-x: auto; white-space: pre; overflow-wrap: normal; }
.turn.user pre, .turn.user code { background: var(--paper); }
pre code { background: none; }
details { margin: 8px 0; padding-left: 12px; border-left: 2px solid var(--line); }
details .text { color: var(--soft); margin-top: 4px; }
summary { cursor: pointer; }
.note { margin: 24px 0; text-align: center; }
.note p { margin: 0; }
.ending { margin: 8px 0 0; color: var(--amber); }
nav, footer { margin-top: 64px; padding-top: 16px; border-top: 1px solid var(--line); }
nav li { margin: 4px 0; }
@media print {
  :root { --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --raised: #fff; --sea: #000; --amber: #000; }
  html { font-size: 11pt; }
  body { max-width: none; padding: 0; }
  article + article { break-before: page; border-top: 0; }
  .by, summary { break-after: avoid; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  header a { display: none; }
  details::details-content { content-visibility: visible; }
}
`;
