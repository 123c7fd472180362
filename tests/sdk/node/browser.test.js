// OpenAI's SDK in a browser, on a page of another origin than the gateway's.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launch, skip } from './chromium.js';
import { GATEWAY_URL, MODEL, UNKNOWN_KEY, createKey } from './support.js';

const SDK = fileURLToPath(new URL('node_modules/openai/', import.meta.url));

const { apiKey } = await createKey();

/** Serves an empty page, and the SDK's modules. */
async function servePage() {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://page');
    if (!pathname.startsWith('/sdk/')) {
      response.setHeader('content-type', 'text/html');
      return response.end('<!doctype html><title>page</title>');
    }
    response.setHeader('content-type', 'text/javascript');
    response.end(await readFile(`${SDK}${pathname.slice('/sdk/'.length)}`).catch(() => ''));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

/** Opens the page; its function `newClient` returns a client with the given key. */
async function openPage() {
  const browser = await launch();
  after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(await servePage());
  await page.evaluate(async (baseURL) => {
    const { default: OpenAI } = await import('/sdk/index.mjs');
    window.newClient = (key) =>
      new OpenAI({ apiKey: key, baseURL, maxRetries: 0, dangerouslyAllowBrowser: true });
  }, `${GATEWAY_URL}/openai`);
  return page;
}

const page = skip ? undefined : await openPage();
const request = { model: MODEL, messages: [{ role: 'user', content: 'one two' }] };

test('a page receives a chat completion and its headers', { skip }, async () => {
  const [content, requestId] = await page.evaluate(
    async ([key, body]) => {
      const call = window.newClient(key).chat.completions.create(body);
      const { data, response } = await call.withResponse();
      return [data.choices[0].message.content, response.headers.get('x-upstream-request-id')];
    },
    [apiKey, request],
  );
  assert.deepEqual([content, requestId], ['You said: one two', 'req_simulated']);
});

test('a page receives a stream', { skip }, async () => {
  const text = await page.evaluate(
    async ([key, body]) => {
      const client = window.newClient(key);
      const stream = await client.chat.completions.create({ ...body, stream: true });
      let all = '';
      for await (const chunk of stream) all += chunk.choices[0]?.delta.content ?? '';
      return all;
    },
    [apiKey, request],
  );
  assert.equal(text, 'You said: one two');
});

test('a page sees why a request is rejected', { skip }, async () => {
  const error = await page.evaluate(
    ([key, body]) =>
      window
        .newClient(key)
        .chat.completions.create(body)
        .catch(({ status, code }) => ({ status, code })),
    [UNKNOWN_KEY, request],
  );
  assert.deepEqual(error, { status: 401, code: 'invalid_api_key' });
});
