// The dashboard has the form that Grafana's types describe, and all queries are well-formed.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LOGQL, logqlErrors, promqlErrors, readPromql } from './queries.js';
import { DASHBOARD, missing, spoilt } from './support.js';
import { typeErrors } from './typecheck.js';

/** Mistakes: what is changed, how, and a part of the error that reports it. */
const MISTAKES = [
  ['option', (it) => (stat(it).options.colourMode = 'value'), /"colourMode"/],
  ['value of an option', (it) => (stat(it).options.colorMode = 'vaule'), /'"vaule"'/],
  ['style', (it) => (style(it).fillOpacty = 20), /"fillOpacty"/],
  ['value of a style', (it) => (style(it).showPoints = 'nevr'), /'"nevr"'/],
  ['default of fields', (it) => (stat(it).fieldConfig.defaults.units = 's'), /"units"/],
  ['position', (it) => (stat(it).gridPos.w = '4'), /"w": "4"/],
  ['target', (it) => (stat(it).targets[0].expression = 'up'), /"expression"/],
  ['missing title', (it) => delete stat(it).title, /'title' is missing/],
  ['type of a panel', (it) => (stat(it).type = 'graph'), /'graph'/],
  ['variable', (it) => (it.templating.list[1].includeall = true), /"includeall"/],
  ['order of a variable', (it) => (it.templating.list[1].sort = '1'), /"sort": "1"/],
  ['dashboard', (it) => (it.refesh = '1m'), /"refesh"/],
];

function stat({ panels }) {
  return panels.find(({ type }) => type === 'stat');
}

function style({ panels }) {
  return panels.find(({ type }) => type === 'timeseries').fieldConfig.defaults.custom;
}

const [ERRORS, ...MISTAKEN] = typeErrors([
  DASHBOARD,
  ...MISTAKES.map(([, change]) => spoilt(DASHBOARD, change)),
]);

test('the panels and variables have the types of Grafana', () => {
  assert.deepEqual(ERRORS, []);
});

for (const [index, [what, , expected]] of MISTAKES.entries()) {
  test(`a mistake is found: ${what}`, () => {
    assert.match(MISTAKEN[index].join('\n'), expected);
  });
}

test('ids of panels and letters of targets are unique', () => {
  const ids = DASHBOARD.panels.map(({ id }) => id);
  assert.deepEqual(ids, [...new Set(ids)]);
  for (const { title, targets } of DASHBOARD.panels) {
    const letters = targets.map(({ refId }) => refId);
    assert.deepEqual(letters, [...new Set(letters)], title);
  }
});

/** Returns the variables that a dashboard uses and does not define. */
function undefinedVariables(dashboard) {
  const defined = dashboard.templating.list.map(({ name }) => name);
  const used = [...JSON.stringify(dashboard).matchAll(/\$\{?(\w+)/g)].map(([, name]) => name);
  return missing(used, [...defined, '__all', '__rate_interval', '__range']);
}

test('the dashboard uses only variables that it defines', () => {
  assert.deepEqual(undefinedVariables(DASHBOARD), []);
  const change = ({ panels }) => (panels[0].targets[0].expr = 'up{team=~"$taem"}');
  assert.deepEqual(undefinedVariables(spoilt(DASHBOARD, change)), ['taem']);
});

for (const { from, query } of readPromql()) {
  test(`PromQL of ${from}`, () => assert.deepEqual(promqlErrors(query), []));
}

for (const query of LOGQL) {
  test(`LogQL: ${query.split('\n')[0]}`, () => assert.deepEqual(logqlErrors(query), []));
}

test('malformed queries are found', () => {
  for (const query of ['sum(rate(a[5m])', 'rates(a[5m])', 'a{b=c}', 'a[$__interval]', 'a >', '']) {
    assert.notDeepEqual(promqlErrors(query), [], query);
  }
  for (const query of ['{a="b"} | json |', 'rates({a="b"}[5m])', '{a=b}', '{a="b"} | unwrap']) {
    assert.notDeepEqual(logqlErrors(query), [], query);
  }
});
