// collector.yaml is consistent, and it reads and sets only documented names.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ottlErrors, ottlOf } from './ottl.js';
import { COLLECTOR, LOG_FIELDS, OTEL_NAMES, VECTOR } from './support.js';
import { assertKnown, matchesOf, missing, spoilt } from './support.js';

const CONFIG = COLLECTOR.toJS();

/** Attributes without a name of OpenTelemetry, each with the reason. */
const OWN_ATTRIBUTES = {
  component: 'not every component is a provider',
  team: 'OpenTelemetry has users, but no teams',
  'ai_gateway.duration': 'OpenTelemetry has the duration of a request as a metric only',
  'ai_gateway.cost_usd': 'OpenTelemetry has no costs',
  'ai_gateway.unsettled': 'only this gateway has such amounts',
};

/** Components that may replace others. The comment above them says so. */
const ALTERNATIVES = COLLECTOR.contents.items
  .flatMap(({ value }) => value.items)
  .filter(({ key }) => /^ The alternative\b/.test(key.commentBefore))
  .map(({ key }) => key.value);

/** Returns what is wrong with the pipelines. */
function pipelineErrors({ service, receivers, processors, connectors, exporters }) {
  const pipelines = Object.entries(service.pipelines);
  const undefinedIn = (part, ...sections) => {
    const defined = sections.flatMap(Object.keys);
    return pipelines.flatMap(([name, pipeline]) =>
      missing(pipeline[part], defined).map((it) => `${name} has no ${it} in ${part}`),
    );
  };
  const unused = (part, section) => {
    const used = pipelines.flatMap(([, pipeline]) => pipeline[part]);
    const names = missing(Object.keys(section), [...used, ...ALTERNATIVES]);
    return names.map((it) => `no pipeline has ${it} in ${part}`);
  };
  return [
    ...undefinedIn('receivers', receivers, connectors),
    ...undefinedIn('processors', processors),
    ...undefinedIn('exporters', exporters, connectors),
    ...unused('receivers', { ...receivers, ...connectors }),
    ...unused('processors', processors),
    ...unused('exporters', { ...exporters, ...connectors }),
  ];
}

/** Returns the attributes that metrics are made of, without those that have a default value. */
function attributesRead({ connectors }) {
  const metrics = connectors.signal_to_metrics.logs;
  const keys = metrics.flatMap(({ attributes = [] }) => attributes);
  const required = keys.filter(({ default_value: value }) => value === undefined);
  const ottl = Object.values(ottlOf({ processors: {}, connectors }))
    .flat()
    .join('\n');
  const inOttl = matchesOf(/\blog\.attributes\["([^"]+)"\]/g, ottl);
  return [...required.map(({ key }) => key), ...inOttl];
}

const statements = ottlOf(CONFIG).statements.join('\n');
const attributesSet = matchesOf(/\bset\(log\.attributes\["([^"]+)"\]/g, statements);

test('pipelines name components that are defined, and all of them', () => {
  assert.deepEqual(ALTERNATIVES, ['file_log']);
  assert.deepEqual(pipelineErrors(CONFIG), []);
});

test('mistakes in a pipeline are found', () => {
  for (const [part, name, index] of [
    ['receivers', 'otlp', 0],
    ['processors', 'transform/request', 1],
    ['exporters', 'signal_to_metrics', 0],
  ]) {
    const change = ({ service }) => (service.pipelines.logs[part][index] = 'other');
    const expected = [`logs has no other in ${part}`, `no pipeline has ${name} in ${part}`];
    assert.deepEqual(pipelineErrors(spoilt(CONFIG, change)), expected);
  }
});

test('the Collector reads only fields that the log has', () => {
  const fields = matchesOf(/\blog\.cache\["([^"]+)"\]/g, statements);
  assertKnown(fields, LOG_FIELDS);
  assert.throws(() => assertKnown(['team'], LOG_FIELDS));
});

test('Vector reads only fields that the log has', () => {
  const fields = matchesOf(/\bline\.(\w+)/g, VECTOR);
  assertKnown(fields, LOG_FIELDS);
});

test('the Collector sets only names of OpenTelemetry that the log has, and a few others', () => {
  const own = Object.keys(OWN_ATTRIBUTES);
  assertKnown(attributesSet, [...OTEL_NAMES, ...own]);
  assertKnown(own, attributesSet, 'no statement needs this exception');
});

test('metrics read only attributes that a statement sets', () => {
  assertKnown(attributesRead(CONFIG), attributesSet);
  const change = ({ connectors }) => (connectors.signal_to_metrics.logs[0].attributes[0].key = 'x');
  assert.deepEqual(missing(attributesRead(spoilt(CONFIG, change)), attributesSet), ['x']);
});

for (const [kind, texts] of Object.entries(ottlOf(CONFIG))) {
  test(`OTTL is well-formed: ${kind}`, () => {
    assert.notEqual(texts.length, 0);
    for (const text of texts) assert.deepEqual(ottlErrors(text, kind), []);
  });
}

test('mistakes in OTTL are found', () => {
  const mistakes = {
    'set(log.time, "a)': /cannot read `"a\)`/,
    'set(log.time, "\\d")': /cannot read `"/,
    'set(log.time, Int("1")': /`\(` is not closed/,
    'set(log.time, [1)]': /`\)` closes \[/,
    'set(log.time, 1))': /`\)` closes nothing/,
    'set(log.time, Integer("1"))': /`Integer` is not a function/,
    'sets(log.time, 1)': /does not start with one of set, /,
    'set(log.time, set(log.body, 1))': /`set` is not a function/,
  };
  for (const [text, expected] of Object.entries(mistakes)) {
    assert.match(ottlErrors(text, 'statements').join('\n'), expected, text);
  }
});
