const RATES = [
  ['requestsPerMinute', 'Requests per minute'],
  ['tokensPerMinute', 'Tokens per minute'],
  ['parallelRequests', 'Requests at a time'],
];
const ENDS = [['block', 'refuse'], ['limit', 'use other models'], ['audit', 'only log']];

/** The fields of limits. `read` returns them as the API has them: `null` without any. */
function limitsForm(limits = {}) {
  const rates = RATES.map(([name, label]) => {
    const input = el('input', { type: 'number', min: '1', step: '1', value: limits[name] ?? '', placeholder: 'no limit' });
    return { name, input, node: field(label, input) };
  });
  const list = el('div', {});
  const budgets = [];
  const add = (budget) => {
    const row = budgetRow(budget, () => {
      budgets.splice(budgets.indexOf(row), 1);
      row.node.remove();
    });
    budgets.push(row);
    list.append(row.node);
    return row;
  };
  (limits.budgets ?? []).forEach(add);
  const more = el('button', { type: 'button', onclick: () => add({}).node.querySelector('input').focus() }, 'Add a budget');
  const node = el('fieldset', { 'data-field': 'limits' }, el('legend', {}, 'Limits'),
    el('div', { class: 'grid' }, rates.map((rate) => rate.node)), list, el('p', {}, more));
  return { node, read: () => readLimits(rates, budgets) };
}

function budgetRow({ unit = 'usd', amount = '', window = 'month', onExceeded = 'block' }, remove) {
  const controls = {
    amount: el('input', { inputmode: 'decimal', value: amount, 'aria-label': 'Amount of the budget', placeholder: '50' }),
    unit: select([['usd', 'USD'], ['tokens', 'tokens']], { 'aria-label': 'Unit of the budget' }),
    window: select([['month', 'per month'], ['day', 'per day']], { 'aria-label': 'Period of the budget' }),
    onExceeded: select(ENDS.map(([value, text]) => [value, `then ${text}`]), { 'aria-label': 'At the end of the budget' }),
  };
  Object.assign(controls.unit, { value: unit });
  Object.assign(controls.window, { value: window });
  Object.assign(controls.onExceeded, { value: onExceeded });
  const button = el('button', { type: 'button', onclick: remove }, 'Remove');
  const node = el('div', { class: 'grid budget' }, Object.values(controls), button);
  const read = () => {
    const given = Object.fromEntries(Object.entries(controls).map(([name, control]) => [name, control.value.trim()]));
    return { ...given, amount: given.unit === 'usd' ? given.amount : Number(given.amount) };
  };
  return { node, read };
}

function readLimits(rates, budgets) {
  const limits = {};
  for (const { name, input } of rates) if (input.value) limits[name] = Number(input.value);
  if (budgets.length > 0) limits.budgets = budgets.map((row) => row.read());
  return Object.keys(limits).length > 0 ? limits : null;
}

/** Edits the limits of a team in a dialog. */
function askTeamLimits(team, done) {
  const form = limitsForm(team.limits);
  const path = `/tokens/teams/${encodeURIComponent(team.teamId)}`;
  return ask({
    title: `Limits of ${team.teamId}`,
    content: [el('p', {}, 'They are for all keys of the team together.'), form.node],
    confirm: 'Save',
    work: async () => {
      const limits = form.read();
      if (limits) await call('PUT', path, { body: { limits } });
      else if (team.limits) await call('DELETE', path);
      done();
    },
  });
}

/** Edits the limits of a key in a dialog. */
function askKeyLimits(key, done) {
  const form = limitsForm(key.limits);
  return ask({
    title: `Limits of ${key.name}`,
    content: form.node,
    confirm: 'Save',
    work: async () => {
      await call('PATCH', `/tokens/${key.id}`, { body: { limits: form.read() } });
      done();
    },
  });
}
