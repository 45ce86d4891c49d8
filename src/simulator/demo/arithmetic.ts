const WORDS: readonly (readonly [RegExp, string])[] = [
  [/\bplus\b/g, '+'],
  [/\bminus\b/g, '-'],
  [/\b(?:times|multiplied by)\b/g, '*'],
  [/\b(?:divided by|over)\b/g, '/'],
  [/\bto the power of\b/g, '^'],
  [/\bmodulo\b/g, '%'],
  [/[×·]|(?<=\d)\s*x\s*(?=\d)/g, '*'],
  [/÷/g, '/'],
  [/−/g, '-'],
];

/** The sum in a sentence such as "what is 12 times 7?", or `undefined` where there is none. */
export function expressionIn(text: string): string | undefined {
  let plain = text.toLowerCase();
  for (const [words, sign] of WORDS) plain = plain.replace(words, ` ${sign} `);
  const match = /(?:^|[^\w.])([-(]?[\d(][\d\s.()+*/^%-]*[\d)])(?![\w])/.exec(plain);
  const found = match?.[1]?.trim();
  return found !== undefined && /\d[\s)]*[+*/^%-][\s(]*-?[\s(]*\d/.test(found) ? found : undefined;
}

/** + - * / % ^ and brackets over decimal numbers. `undefined` if it does not parse or has no finite value. */
export function evaluate(expression: string): number | undefined {
  const tokens = expression.match(/\d+(?:\.\d+)?|[-+*/%^()]/g) ?? [];
  if (tokens.join('') !== expression.replace(/\s+/g, '')) return undefined;
  let at = 0;

  function primary(): number {
    const token = tokens[at];
    at += 1;
    if (token === '-') return -primary();
    if (token === '(') {
      const value = sum();
      if (tokens[at] !== ')') return Number.NaN;
      at += 1;
      return value;
    }
    return Number(token);
  }

  function power(): number {
    const base = primary();
    if (tokens[at] !== '^') return base;
    at += 1;
    return base ** power();
  }

  function product(): number {
    let value = power();
    for (let sign = tokens[at]; sign === '*' || sign === '/' || sign === '%'; sign = tokens[at]) {
      at += 1;
      const right = power();
      value = sign === '*' ? value * right : sign === '/' ? value / right : value % right;
    }
    return value;
  }

  function sum(): number {
    let value = product();
    for (let sign = tokens[at]; sign === '+' || sign === '-'; sign = tokens[at]) {
      at += 1;
      const right = product();
      value = sign === '+' ? value + right : value - right;
    }
    return value;
  }

  const value = sum();
  return at === tokens.length && Number.isFinite(value) ? value : undefined;
}

/** Without the dust of binary fractions: 0.1 + 0.2 is 0.3. */
export function formatNumber(value: number): string {
  return String(Number(value.toPrecision(12)));
}
