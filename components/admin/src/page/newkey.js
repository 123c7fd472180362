/** The form for a new key. */
function newKeyScreen(teamId = '') {
  const place = el('div', {});
  settings().then((known) => place.replaceChildren(newKeyForm(teamId, known)), (error) => report(error, place));
  return el('div', {}, el('div', { class: 'title' }, el('h1', { tabindex: '-1' }, 'New key')), place);
}

function newKeyForm(teamId, known) {
  const text = (props) => el('input', { autocomplete: 'off', ...props });
  const team = text({ value: teamId, required: true, list: 'teams' });
  const teams = el('datalist', { id: 'teams' });
  team.addEventListener('input', () => later(() => suggestTeams(team.value, teams)));
  const [name, note] = [text({ maxlength: '100' }), text({ maxlength: '200' })];
  const providers = known.providers.map((provider) => ({ provider, ...check(provider) }));
  const models = el('textarea', { rows: '3', spellcheck: 'false', class: 'mono' });
  const expires = select([['', 'never'], ['30', 'in 30 days'], ['90', 'in 90 days'], ['365', 'in a year']]);
  const limited = check('Replace its models by those of limited teams');
  const account = check('May call operations on the provider’s whole account');
  const limits = limitsForm();
  const create = el('button', { type: 'submit', class: 'primary' }, 'Create key');
  let attempt = newAttempt();
  const read = () => ({
    teamId: team.value.trim(),
    name: name.value.trim() || undefined,
    note: note.value.trim() || undefined,
    providers: chosen(providers),
    models: lines(models.value),
    limited: limited.input.checked || undefined,
    account: account.input.checked || undefined,
    ttlSeconds: expires.value ? Number(expires.value) * 86_400 : undefined,
    limits: limits.read() ?? undefined,
  });
  const submit = (event) => {
    event.preventDefault();
    form.querySelectorAll('.error, .notice').forEach((error) => error.remove());
    busy(create, async () => {
      const created = await call('POST', '/tokens', { body: read(), attempt });
      const after = el('div', {});
      form.replaceWith(after, el('p', {}, link(teamLink(created.teamId), 'Keys of the team')));
      showThere(after, created);
    });
  };
  const form = el('form', { class: 'panel', onsubmit: submit, oninput: () => (attempt = newAttempt()) },
    el('div', { class: 'grid' },
      field('Team', team, { name: 'teamId', hint: 'Requests are attributed to it.' }), teams,
      field('Name of the key', name, { name: 'name', hint: 'Such as ci-bot. Without one, the team’s.' }),
      field('Note', note, { name: 'note' }),
      field('Expires', expires, { name: 'ttlSeconds' })),
    el('fieldset', { 'data-field': 'providers' }, el('legend', {}, 'Providers'),
      el('div', { class: 'row' }, providers.map((entry) => entry.node)),
      el('p', { class: 'soft small' }, 'Without a choice: all.')),
    el('fieldset', { 'data-field': 'models' }, el('legend', {}, 'Models'),
      field('One per line', models, { hint: '* stands for any letters, as in gpt-4o*. Without a line: all.' }),
      el('div', { class: 'row' }, known.models.slice(0, 12).map((model) => suggestion(model, models)))),
    limits.node,
    el('fieldset', {}, el('legend', {}, 'Rights'), el('div', { class: 'row' }, limited.node, account.node)),
    el('p', {}, create));
  suggestTeams('', teams);
  return form;
}

const chosen = (providers) => {
  const names = providers.filter(({ input }) => input.checked).map(({ provider }) => provider);
  return names.length ? names : undefined;
};

function lines(text) {
  const list = text.split('\n').map((line) => line.trim()).filter(Boolean);
  return list.length ? list : undefined;
}

/** A model that one click adds. */
function suggestion(model, models) {
  const add = () => (models.value = [...new Set([...(lines(models.value) ?? []), model])].join('\n'));
  return el('button', { type: 'button', class: 'mono', 'aria-label': `Add ${model}`, onclick: add }, model);
}

async function suggestTeams(prefix, list) {
  const page = await call('GET', `/tokens/teams${query({ view: 'use', prefix, limit: 20 })}`).catch(() => ({ data: [] }));
  list.replaceChildren(...page.data.map((team) => el('option', { value: team.teamId })));
}
