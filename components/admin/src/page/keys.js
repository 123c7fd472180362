/** The screen with the keys of a team. */
function teamScreen(teamId) {
  const top = el('div', {});
  const list = el('div', {});
  const shown = el('div', {});
  const load = () => loadKeys(teamId, { top, list, shown, load });
  load();
  return el('div', {},
    el('p', { class: 'crumb' }, link('#/teams', 'Teams'), ' ›'),
    el('div', { class: 'title' }, el('h1', { tabindex: '-1' }, teamId),
      el('div', { class: 'row' },
        action('Export this month', () => exportCsv({ team: teamId })),
        link(`#/new/${encodeURIComponent(teamId)}`, 'New key', { class: 'button primary' }))),
    top, shown, list);
}

let keyLoads = 0;

async function loadKeys(teamId, view) {
  const turn = ++keyLoads;
  const isCurrent = () => turn === keyLoads;
  loadTeam(teamId).then(
    (team) => isCurrent() && view.top.replaceChildren(teamPanel(team, view.load)),
    (error) => isCurrent() && report(error, view.top),
  );
  const keys = [];
  const next = async (cursor) => {
    const page = await call('GET', `/tokens${query({ teamId, limit: 200, cursor })}`);
    if (!isCurrent()) return;
    keys.push(...page.data);
    const more = page.nextCursor && action('Show more', () => next(page.nextCursor));
    const shown = keys.length || more ? keysTable(keys, view) : noKeys(teamId);
    keepFocus(() => view.list.replaceChildren(shown, more ? el('p', {}, more) : ''));
  };
  await next().catch((error) => isCurrent() && report(error, view.list));
}

/** Replaces what has the focus, and gives it to what has the same name afterwards. */
function keepFocus(replace) {
  const name = document.activeElement?.getAttribute('aria-label');
  replace();
  if (name) document.querySelector(`main [aria-label="${CSS.escape(name)}"]`)?.focus();
}

/** Reads the limits of the team, and what it has used if that is known. */
async function loadTeam(teamId) {
  const path = `/tokens/teams/${encodeURIComponent(teamId)}`;
  const [team, page] = await Promise.all([
    call('GET', path),
    call('GET', `/tokens/teams${query({ view: 'use', team: teamId, days: CHART_DAYS })}`),
  ]);
  return { budgets: [], ...page.data[0], ...team };
}

function teamPanel(team, reload) {
  const limits = limitsText(team.limits).join(' · ') || 'none';
  const month = monthOf(team);
  const used = month ? `${number(month.requests)} requests · ${short(tokens(month))} tokens · ${costText(month)}` : '–';
  return el('section', { class: 'panel', 'aria-label': 'The whole team' },
    el('div', { class: 'row spread' },
      facts([
        ['Limits of the team', limits],
        ...(team.budgets.length ? [['Used', meters(team.budgets)]] : []),
        ['This month', used],
        ['Last 31 days', teamChart(team.days)],
      ]),
      el('button', { type: 'button', onclick: () => askTeamLimits(team, reload) }, 'Change limits')));
}

function noKeys(teamId) {
  return el('div', { class: 'panel empty' }, el('h2', {}, 'This team has no key'),
    link(`#/new/${encodeURIComponent(teamId)}`, 'Create one', { class: 'button primary' }));
}

function keysTable(keys, view) {
  const order = (key) => Date.parse(key.rotatedAt ?? key.createdAt);
  keys.sort((one, other) => order(other) - order(one));
  return table('Keys', [
    ['Key', keyName],
    ['State', (key) => {
      const [text, kind] = stateOf(key);
      return el('span', { class: kind }, text);
    }],
    ['May use', scopeText],
    ['Limits', keyLimits],
    ['Expires', (key) => (key.expiresAt ? date(key.expiresAt) : 'never'), 'date'],
    ['Last used', lastUsed, 'date'],
    ['Actions', (key) => keyActions(key, view), 'actions'],
  ], keys);
}

function keyName(key) {
  const copy = async () => {
    await copyText(key.id);
    say('The id is copied');
  };
  const id = action(`${key.id.slice(0, 12)}…`, copy, { class: 'id mono', title: key.id, 'aria-label': `${key.id.slice(0, 12)}… Copy the id` });
  return el('div', {}, key.name, el('div', {}, id),
    el('div', { class: 'small soft' }, `created ${date(key.createdAt)}`),
    key.note && el('div', { class: 'small soft' }, key.note));
}

function scopeText(key) {
  const parts = [...(key.providers ?? []), ...(key.models ?? [])];
  const rights = [key.limited && 'limited models', key.account && 'account operations'].filter(Boolean);
  const tags = [...(parts.length ? parts : ['everything']), ...rights];
  return el('div', { class: 'row' }, tags.map((part) => el('span', { class: 'tag' }, part)));
}

function keyLimits(key) {
  const rates = limitsText({ ...key.limits, budgets: [] });
  if (!rates.length && !key.budgets?.length) return el('span', { class: 'soft' }, 'none');
  return el('div', {}, meters(key.budgets ?? []), rates.map((text) => el('div', { class: 'small' }, text)));
}

function keyActions(key, view) {
  const rotate = () => askRotate(key, async (grace, attempt) => {
    const created = await call('POST', `/tokens/${key.id}/refresh?graceSeconds=${grace}`, { attempt });
    showThere(view.shown, created);
    view.load();
  });
  const setDisabled = async () => {
    await call('PATCH', `/tokens/${key.id}`, { body: { disabled: !key.disabled } });
    say(key.disabled ? 'Enabled' : 'Disabled');
    view.load();
  };
  const revoked = () => {
    say('Revoked');
    view.load();
  };
  const button = (label, onclick, kind) =>
    el('button', { type: 'button', class: kind, 'aria-label': `${label} ${key.name}`, onclick }, label);
  return el('div', { class: 'row' },
    key.replacedBy ? null : button('Rotate', rotate),
    button('Limits', () => askKeyLimits(key, view.load)),
    action(key.disabled ? 'Enable' : 'Disable', setDisabled, { 'aria-label': `${key.disabled ? 'Enable' : 'Disable'} ${key.name}` }),
    button('Revoke', () => askRevoke(key, revoked), 'danger'),
    link(`#/why/${key.id}`, 'Why?', { class: 'small', 'aria-label': `Why? ${key.name}` }));
}
