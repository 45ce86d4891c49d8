import fc from 'fast-check';
import { expect, it } from 'vitest';
import { textOfHtml } from '../../src/exchange/import/html-text.ts';

it.each([
  ['<p>One</p><p>Two</p>', 'One\n\nTwo'],
  ['a<br>b<br/>c', 'a\nb\nc'],
  ['<h2>Head</h2><p>body</p>', '## Head\n\nbody'],
  ['<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul><p>d</p>', '- a\n- b\n  - c\n\nd'],
  ['<ol><li>a</li><li>b</li></ol>', '1. a\n2. b'],
  ['<p>x <strong>y</strong> <em>z</em> <code>k</code></p>', 'x **y** *z* `k`'],
  ['<pre><code>if (a &lt; b) {\n  c();\n}</code></pre><p>after</p>', '```\nif (a < b) {\n  c();\n}\n```\n\nafter'],
  ['<a href="https://example.org/?a=1&amp;b=2">there</a>', '[there](https://example.org/?a=1&b=2)'],
  ['<a href="javascript:x()">there</a>', 'there'],
  ['<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>', 'a | b\n1 | 2'],
  ['<script>x()</script><style>y</style>words', 'words'],
  ['1 < 2 &amp;&amp; 3 > 2 &nope; &#x41;&#66; &#0; &#x110000;', '1 < 2 && 3 > 2 &nope; AB &#0; &#x110000;'],
  ['  many \n spaces  <!-- gone --> here ', 'many spaces here'],
  ['&lt;script&gt;', '<script>'],
  ['</p></ul></pre></a>plain', 'plain'],
])('%j is %j', (html, text) => {
  expect(textOfHtml(html)).toBe(text);
});

it('takes any text', () => {
  const pieces = fc.constantFrom(
    '<',
    '>',
    '</',
    '<p>',
    '<li>',
    '<pre>',
    '</pre>',
    '<a href="',
    '"',
    '&amp;',
    '&#',
    '<!--',
    'x',
    ' ',
    '\n',
  );
  fc.assert(fc.property(fc.array(pieces, { maxLength: 40 }), (html) => typeof textOfHtml(html.join('')) === 'string'));
});
