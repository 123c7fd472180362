// `GET /metrics` of a running gateway has the metrics that docs/operations.md lists.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { parseMetrics } from './exposition.js';
import { promtool, skip } from './promtool.js';
import { GATEWAY_METRICS } from './support.js';

const GATEWAY_URL = setting('GATEWAY_URL');
const ADMIN_TOKEN = setting('ADMIN_TOKEN');

/** Counters are written after the response has ended, but not later than this. */
const PATIENCE_MS = 10_000;

/** A new team. Its name has characters that the format escapes. */
const TEAM = `otel "${randomUUID()}" \\`;

const BUDGET = { unit: 'tokens', amount: 10_000, window: 'month' };

/** The start of examples. */
const HEAD = '# HELP a b\n# TYPE a counter\n';

const key = await createKey();
await complete();
const text = await eventually(readMetrics);
const METRICS = parseMetrics(text);

/** Returns a variable of the environment, without a trailing slash. */
function setting(name) {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set in the environment: these tests need a running gateway.`);
  }
  return value.replace(/\/$/, '');
}

/** Sends a request and returns the response. */
async function send(path, bearer, body) {
  const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' };
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const more = body ? { method: 'POST', body: JSON.stringify(body) } : {};
  return fetch(GATEWAY_URL + path, { headers, signal, ...more });
}

async function createKey() {
  const response = await send('/tokens', ADMIN_TOKEN, {
    teamId: TEAM,
    limits: { budgets: [BUDGET] },
  });
  assert.equal(response.status, 201, await response.clone().text());
  return response.json();
}

async function complete() {
  const messages = [{ role: 'user', content: 'one two' }];
  const body = { model: 'gpt-4o', messages };
  const response = await send('/openai/v1/chat/completions', key.apiKey, body);
  assert.equal(response.status, 200, await response.clone().text());
  await response.arrayBuffer();
}

/** Returns the text of the metrics. Fails if the request of the team is missing. */
async function readMetrics() {
  const response = await send('/metrics', ADMIN_TOKEN);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type'), /^text\/plain; version=0\.0\.4(;|$)/);
  const metrics = await response.text();
  const samples = samplesOf(parseMetrics(metrics), 'gateway_requests_total');
  assert.notEqual(samples.length, 0, 'GET /metrics does not have the request');
  return metrics;
}

/** Repeats `attempt` until it succeeds, and returns what it returns. */
async function eventually(attempt) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await sleep(50);
  }
}

/** Returns the samples of the team. */
function samplesOf(metrics, name) {
  const samples = metrics.get(name)?.samples.values() ?? [];
  return [...samples].filter(({ labels }) => labels.team === TEAM);
}

test('the metrics and their types are those of the documentation', () => {
  const types = [...METRICS].map(([name, { TYPE }]) => [name, TYPE]);
  const expected = [...GATEWAY_METRICS].map(([name, { type }]) => [name, type]);
  assert.deepEqual(Object.fromEntries(types), Object.fromEntries(expected));
});

test('every series has the labels of the documentation', () => {
  for (const [name, { samples }] of METRICS) {
    assert.notEqual(samples.size, 0, name);
    for (const { labels } of samples.values()) {
      const expected = GATEWAY_METRICS.get(name).labels;
      assert.deepEqual(Object.keys(labels).sort(), expected.toSorted(), name);
    }
  }
});

/** Fails unless the team has used what one request needs. */
function assertOneRequest(metrics) {
  const valuesOf = (name) => samplesOf(metrics, name).map(({ value }) => value);
  assert.deepEqual(valuesOf('gateway_requests_total'), [1]);
  assert.equal(valuesOf('gateway_cost_usd_total').length, 1);
  const tokens = samplesOf(metrics, 'gateway_tokens_total');
  const kinds = Object.fromEntries(tokens.map(({ labels, value }) => [labels.kind, value]));
  assert.deepEqual(Object.keys(kinds), ['input', 'output', 'cached', 'cache_write', 'reasoning']);
  assert.ok(kinds.input > 0 && kinds.output > 0);
  const [{ labels, value }, ...others] = samplesOf(metrics, 'gateway_budget_used_ratio');
  assert.deepEqual(others, []);
  assert.deepEqual([labels.key, labels.unit, labels.window], [key.id, BUDGET.unit, BUDGET.window]);
  // The gateway writes four digits.
  const difference = (kinds.input + kinds.output) / BUDGET.amount - value;
  assert.ok(difference >= 0 && difference < 0.0001, `${value}`);
}

// The gateway writes one counter after another, and reserves a part of the budget before.
test('the values are those of one request', () =>
  eventually(async () => assertOneRequest(parseMetrics(await readMetrics()))));

test('promtool accepts the metrics', { skip }, () => {
  promtool(['check', 'metrics'], { input: text });
  const misnamed = text.replaceAll('gateway_requests_total', 'gateway_requests');
  assert.throws(() => promtool(['check', 'metrics'], { input: misnamed }), /_total/);
});

test('escapes in labels are read', () => {
  const metrics = parseMetrics(`${HEAD}a{b="\\"\\\\\\n",c=""} 1.5\n`);
  const [sample] = metrics.get('a').samples.values();
  assert.deepEqual(sample, { labels: { b: '"\\\n', c: '' }, value: 1.5 });
});

for (const mistake of [
  ...['a 1', 'a one\n', 'a  1\n', 'a 1 2\n', 'b 1\n', '\n', 'a 1\na 1\n'],
  ...['a{b=1} 1\n', 'a{b="\\d"} 1\n', 'a{b="c} 1\n', 'a{b="1"c="2"} 1\n', 'a{b="1",b="2"} 1\n'],
  ...['# TYPE a gauge\n', '# HELP a b\n', '# TYPE b counter\nb 1\n', '# HELP b c\nb 1\n'],
]) {
  test(`malformed metrics are found: ${JSON.stringify(mistake)}`, () => {
    assert.throws(() => parseMetrics(HEAD + mistake), assert.AssertionError);
  });
}
