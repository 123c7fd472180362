// Reads OTTL, the language of the Collector's statements. It knows no types, but splits a text into
// tokens, matches brackets and finds functions.
// https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/pkg/ottl/LANGUAGE.md

/**
 * The functions that collector.yaml may use: statements start with an editor, and converters return
 * values.
 * https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/pkg/ottl/ottlfuncs/README.md
 */
const EDITORS = ['set', 'merge_maps'];
const CONVERTERS = ['Double', 'Int', 'IsMatch', 'IsString', 'ParseJSON', 'Time'];

/** Words that may stand before a parenthesis. */
const KEYWORDS = ['and', 'or', 'not', 'where'];

/** Strings have the escapes of Go, of which these are the ones that are needed. */
const TOKEN = /\s*("(?:\\["\\nt]|[^"\\])*"|\d+(?:\.\d+)?|[A-Za-z_]\w*|[=!<>]=|[-+*/<>,.()[\]])/y;

const PAIRS = { ')': '(', ']': '[' };

/** Returns the statements, conditions and values of the Collector's configuration. */
export function ottlOf({ processors, connectors }) {
  const groups = Object.values(processors).flatMap((it) => [
    ...(it.log_statements ?? []),
    ...(it.metric_statements ?? []),
  ]);
  const metrics = connectors.signal_to_metrics.logs;
  return {
    statements: groups.flatMap((group) => group.statements ?? group),
    conditions: metrics.flatMap(({ conditions = [] }) => conditions),
    values: metrics.map(({ sum, histogram }) => (sum ?? histogram).value),
  };
}

/** Splits a text into tokens. Where no token starts, `rest` has the remaining text. */
function tokensOf(text) {
  const tokens = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const from = TOKEN.lastIndex;
    const token = TOKEN.exec(text)?.[1];
    if (!token) return { tokens, rest: text.slice(from).trim() };
    tokens.push(token);
  }
  return { tokens };
}

/** Returns brackets that do not match. */
function bracketErrors(tokens) {
  const open = [];
  const errors = [];
  for (const token of tokens) {
    if (token === '(' || token === '[') open.push(token);
    if (!PAIRS[token]) continue;
    const last = open.pop();
    if (last !== PAIRS[token]) errors.push(`\`${token}\` closes ${last ?? 'nothing'}`);
  }
  return [...errors, ...open.map((token) => `\`${token}\` is not closed`)];
}

/** Returns functions that are unknown, or used in the wrong position. */
function functionErrors(tokens, kind) {
  const isStatement = kind === 'statements';
  const calls = tokens.filter((token, index) => /^\w/.test(token) && tokens[index + 1] === '(');
  const [editor] = isStatement ? tokens : [];
  const converters = (isStatement ? calls.slice(1) : calls).filter((it) => !KEYWORDS.includes(it));
  const unknown = converters.filter((name) => !CONVERTERS.includes(name));
  const errors = unknown.map((name) => `\`${name}\` is not a function to use here`);
  if (isStatement && !(EDITORS.includes(editor) && calls[0] === editor)) {
    errors.push(`it does not start with one of ${EDITORS.join(', ')}`);
  }
  return errors;
}

/** Returns what is wrong with one of the texts of `ottlOf`. */
export function ottlErrors(text, kind) {
  const { tokens, rest } = tokensOf(text);
  const errors = [...bracketErrors(tokens), ...functionErrors(tokens, kind)];
  if (rest) errors.unshift(`cannot read \`${rest}\``);
  return errors.map((error) => `${error}: ${text}`);
}
