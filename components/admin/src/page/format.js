const plainNumber = new Intl.NumberFormat('en');
const shortNumber = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const dateFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });

const number = (value) => plainNumber.format(value);
const short = (value) => (value < 10_000 ? plainNumber.format(value) : shortNumber.format(value));

function money(usd) {
  const value = Number(usd);
  if (value > 0 && value < 0.01) return '<$0.01';
  return value < 10_000 ? `$${value.toFixed(2)}` : `$${shortNumber.format(value)}`;
}

/** A cost, or a dash where something was used and has no price. */
const costText = (use) => (Number(use.costUsd) === 0 && tokens(use) > 0 ? '–' : money(use.costUsd));

const date = (text) => dateFormat.format(new Date(text));
const today = () => new Date().toISOString().slice(0, 10);

/** The day so many days ago, like `2026-01-31`, in UTC as the gateway counts. */
function dayBefore(days) {
  return new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
}

const tokens = (use) => use.inputTokens + use.outputTokens;

/** The sum of what was used on `days`. */
function sum(days) {
  const total = { requests: 0, inputTokens: 0, outputTokens: 0, costUsd: 0 };
  for (const day of days) {
    for (const name of Object.keys(total)) total[name] += Number(day[name]);
  }
  return total;
}

/** The parts of a limit's label, like `team usd/month`. */
function limitParts(state) {
  const [holder, ...rest] = state.limit.split(' ');
  const [unit, window] = rest.join(' ').split('/');
  return { holder, unit, window };
}

/** What is used of a limit; of whom, where limits of a key and of its team are side by side. */
function limitText(state, showsHolder) {
  const { holder, unit, window } = limitParts(state);
  const used = unit === 'usd' ? money(state.used) : short(state.used);
  const amount = unit === 'usd' ? money(state.amount) : `${short(state.amount)} ${unit}`;
  const owner = showsHolder ? `, ${holder}` : '';
  return `${used} of ${amount}${window ? ` per ${window}` : ''}${owner}`;
}

function budgetText({ unit, amount, window, onExceeded }) {
  const what = unit === 'usd' ? money(amount) : `${short(amount)} tokens`;
  const then = { limit: ', then other models', audit: ', logged only' }[onExceeded] ?? '';
  return `${what} per ${window}${then}`;
}

/** The limits in words, like `60 requests/minute`. */
function limitsText(limits = {}) {
  const rates = [
    [limits.requestsPerMinute, 'requests/minute'],
    [limits.tokensPerMinute, 'tokens/minute'],
    [limits.parallelRequests, 'at a time'],
  ];
  const texts = rates.filter(([amount]) => amount).map(([amount, what]) => `${short(amount)} ${what}`);
  return [...texts, ...(limits.budgets ?? []).map(budgetText)];
}

/** The state of a key: its word, and the class of the word. */
function stateOf(key) {
  if (key.expiresAt && new Date(key.expiresAt) < new Date()) return ['expired', 'bad'];
  if (key.disabled) return ['disabled', 'warn'];
  if (key.replacedBy) return [`replaced, until ${date(key.expiresAt)}`, 'warn'];
  return ['active', 'good'];
}

function lastUsed(key) {
  if (!key.counted) return el('span', { class: 'soft', title: 'Requests of this key are not counted.' }, 'not counted');
  if (!key.lastUsed) return 'never';
  return key.lastUsed === today() ? 'today' : date(key.lastUsed);
}
