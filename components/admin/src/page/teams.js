const CHART_DAYS = 31;
const PAGE = 50;

const teamLink = (id) => `#/teams/${encodeURIComponent(id)}`;

/** The screen with all teams, those first that are closest to the end of a budget. */
function teamsScreen() {
  const search = el('input', { type: 'search', placeholder: 'Start of a team’s name', oninput: () => later(load) });
  const totals = el('div', { class: 'panel' }, facts([['This month', '…']]));
  const count = el('span', { class: 'soft', role: 'status' });
  const list = el('div', {});
  const node = el('div', {},
    el('div', { class: 'title' }, el('h1', { tabindex: '-1' }, 'Teams'),
      el('div', { class: 'row' },
        action('Export this month', () => exportCsv({ per: 'key' })),
        link('#/new', 'New key', { class: 'button primary' }))),
    totals,
    el('div', { class: 'row spread ask' }, el('div', { class: 'search' }, field('Find a team', search)), count),
    list);
  const load = () => loadTeams({ prefix: search.value.trim(), list, count });
  load();
  loadTotals(totals);
  return node;
}

/** Runs `work` when the admin has stopped typing. */
function later(work) {
  clearTimeout(later.timer);
  later.timer = setTimeout(work, 150);
}

let teamLoads = 0;

async function loadTeams({ prefix, list, count }) {
  const turn = ++teamLoads;
  const isCurrent = () => turn === teamLoads;
  const teams = [];
  const show = (page) => {
    count.textContent = `${number(teams.length)} of ${number(page.total)} teams`;
    const more = page.nextCursor && action(`Show ${Math.min(PAGE, page.total - teams.length)} more`, () => next(page.nextCursor));
    list.replaceChildren(teams.length ? teamsTable(teams) : noTeams(prefix), more ? el('p', {}, more) : '');
  };
  const next = async (cursor) => {
    const parameters = { view: 'use', limit: PAGE, prefix, cursor };
    const page = await call('GET', `/tokens/teams${query(parameters)}`);
    if (!isCurrent()) return;
    const start = teams.length;
    // The order changes with use, so a team may be on two pages.
    const shown = new Set(teams.map((team) => team.teamId));
    teams.push(...page.data.filter((team) => !shown.has(team.teamId)));
    show(page);
    // The charts take longer than the list, so they come after it.
    const charts = await call('GET', `/tokens/teams${query({ ...parameters, days: CHART_DAYS })}`)
      .catch((error) => isCurrent() && report(error, list));
    if (!isCurrent() || !charts) return;
    const known = new Map(charts.data.map((team) => [team.teamId, team.days]));
    for (const team of teams.slice(start)) team.days = known.get(team.teamId) ?? null;
    show(page);
  };
  await next().catch((error) => isCurrent() && report(error, list));
}

function noTeams(prefix) {
  if (prefix) return el('div', { class: 'panel empty' }, `No team starts with “${prefix}”.`);
  return el('div', { class: 'panel empty' }, el('h2', {}, 'No team has a key yet'),
    el('p', { class: 'soft' }, 'A team appears here with its first key.'),
    link('#/new', 'Create the first key', { class: 'button primary' }));
}

/** What the team used this month: `undefined` while that is being read, and `null` where nothing was counted. */
function monthOf({ days }) {
  if (days === undefined) return undefined;
  const use = sum((days ?? []).filter((day) => day.day.startsWith(today().slice(0, 7))));
  return use.requests ? use : null;
}

const soft = (text) => el('span', { class: 'soft' }, text);

function teamsTable(teams) {
  const counted = (team, show) => {
    const use = monthOf(team);
    return use === undefined ? '' : use ? show(use) : soft('–');
  };
  return table('Teams', [
    ['Team', (team) => link(teamLink(team.teamId), team.teamId)],
    ['Keys', (team) => (team.keys === undefined ? soft('–') : number(team.keys)), 'number'],
    ['Budget', (team) => (team.budgets.length ? meters(team.budgets) : soft('no budget'))],
    ['Last 31 days', (team) => (team.days === undefined ? '' : teamChart(team.days))],
    ['Requests', (team) => counted(team, (use) => short(use.requests)), 'number'],
    ['Tokens', (team) => counted(team, (use) => short(tokens(use))), 'number'],
    ['Cost', (team) => counted(team, costText), 'number'],
  ], teams);
}

function teamChart(days) {
  if (!days?.length) return soft('nothing counted');
  const hasCost = days.some((day) => Number(day.costUsd) > 0);
  return hasCost
    ? chart(days, CHART_DAYS, (day) => Number(day.costUsd), money)
    : chart(days, CHART_DAYS, (day) => day.requests, (value) => `${number(value)} requests`);
}

/** Shows the sums of all teams, not of those on the page. */
async function loadTotals(place) {
  try {
    const { totals } = await call('GET', '/tokens/usage?per=team&by=month&limit=1');
    const { usage } = await settings();
    const which = { limits: 'keys and teams with limits', all: 'all keys', off: 'nothing: usage=off' }[usage];
    place.replaceChildren(facts([
      ['Requests this month', number(totals.requests)],
      ['Tokens', short(tokens(totals))],
      ['Cost', costText(totals)],
      ['Counted', which],
    ]));
  } catch (error) {
    report(error, place);
  }
}
