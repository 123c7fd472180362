// Reads the text format of Prometheus. What the gateway does not write is an error, even if the
// format allows it, such as a timestamp.
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details

import assert from 'node:assert/strict';

const COMMENT = /^# (HELP|TYPE) ([A-Za-z_:][\w:]*) (.+)$/;
const SAMPLE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|NaN|[+-]Inf)$/;
const LABEL = /([A-Za-z_]\w*)="((?:\\[\\"n]|[^\\"])*)"(?:,|$)/y;

/** Returns the metrics by their names, each with its `HELP`, its `TYPE` and its samples. */
export function parseMetrics(text) {
  assert.ok(text.endsWith('\n'), 'the last line does not end');
  const metrics = new Map();
  let last = {};
  for (const line of text.slice(0, -1).split('\n')) {
    const [, keyword, name, rest] = COMMENT.exec(line) ?? [];
    if (keyword === 'HELP') {
      assert.ok(!metrics.has(name), `${name} is given twice`);
      last = { name, HELP: rest, samples: new Map() };
      metrics.set(name, last);
    } else if (keyword === 'TYPE') {
      assert.ok(last.name === name && !last.TYPE, `there is no HELP before: ${line}`);
      assert.match(rest, /^(counter|gauge|histogram|summary|untyped)$/, line);
      last.TYPE = rest;
    } else {
      addSample(last, line);
    }
  }
  return metrics;
}

function addSample(metric, line) {
  const [, name, labels = '', value] = SAMPLE.exec(line) ?? assert.fail(`not a sample: ${line}`);
  assert.ok(metric.name === name && metric.TYPE, `there is no TYPE before: ${line}`);
  assert.ok(!metric.samples.has(labels), `the series is given twice: ${line}`);
  metric.samples.set(labels, { labels: parseLabels(labels), value: Number(value) });
}

function parseLabels(text) {
  const labels = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const [, name, value] = LABEL.exec(text) ?? assert.fail(`not labels: {${text}}`);
    assert.ok(!(name in labels), `the label ${name} is given twice: {${text}}`);
    labels[name] = value.replace(/\\(.)/g, (_, letter) => (letter === 'n' ? '\n' : letter));
  }
  return labels;
}
