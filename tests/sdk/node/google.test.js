import { ApiError, GoogleGenAI } from '@google/genai';
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  GATEWAY_URL,
  PATIENCE_MS,
  UNKNOWN_KEY,
  assertRaises,
  collect,
  createKey,
} from './support.js';

const MODEL = 'gemini-2.5-flash';

const { apiKey } = await createKey();

/** A client that sends its key as `x-goog-api-key`, as this SDK does. */
function newGoogle(key, options = {}) {
  const baseUrl = `${GATEWAY_URL}/google`;
  return new GoogleGenAI({
    apiKey: key,
    httpOptions: { baseUrl, timeout: PATIENCE_MS, ...options },
  });
}

/** Returns a client whose requests ask the simulated upstream for `what`. */
function simulating(what) {
  return newGoogle(apiKey, { headers: { 'x-simulate': what } });
}

function request(contents) {
  return { model: MODEL, contents };
}

/** Like `assertRaises`, for an error in Google's shape; returns the error object of its body. */
async function assertGoogleError(promise, status, name) {
  const error = await assertRaises(promise, ApiError, status);
  const body = JSON.parse(error.message).error;
  assert.equal(body.code, status);
  assert.equal(body.status, name);
  return body;
}

// This SDK uses v1 by default; older ones use v1beta.
for (const apiVersion of ['v1', 'v1beta']) {
  const { models } = newGoogle(apiKey, { apiVersion });

  test(`${apiVersion}: generated content has its text, finish reason and usage`, async () => {
    const response = await models.generateContent(request('Grüße, 世界'));
    assert.equal(response.text, 'You said: Grüße, 世界');
    assert.equal(response.modelVersion, MODEL);
    assert.equal(response.candidates.length, 1);
    assert.equal(response.candidates[0].finishReason, 'STOP');
    assert.equal(response.usageMetadata.totalTokenCount, 21);
  });

  test(`${apiVersion}: streamed content arrives whole`, async () => {
    const chunks = await collect(await models.generateContentStream(request('one two Grüße')));
    const words = chunks.map((chunk) => chunk.text);
    assert.deepEqual(words, ['You ', 'said: ', 'one ', 'two ', 'Grüße']);
    assert.equal(chunks.at(-1).candidates[0].finishReason, 'STOP');
  });

  test(`${apiVersion}: tokens can be counted`, async () => {
    assert.equal((await models.countTokens(request('hello'))).totalTokens, 9);
  });

  test(`${apiVersion}: the models can be listed and retrieved`, async () => {
    const listed = await collect(await models.list());
    assert.deepEqual(listed.map((model) => model.name), [`models/${MODEL}`]);
    assert.equal((await models.get({ model: MODEL })).name, `models/${MODEL}`);
  });
}

test('an unknown key raises an error of status 401', async () => {
  const { models } = newGoogle(UNKNOWN_KEY);
  await assertGoogleError(models.generateContent(request('hello')), 401, 'UNAUTHENTICATED');
  await assertGoogleError(models.generateContentStream(request('hello')), 401, 'UNAUTHENTICATED');
  await assertGoogleError(models.countTokens(request('hello')), 401, 'UNAUTHENTICATED');
});

for (const [what, status, name] of [
  ['status=403', 403, 'PERMISSION_DENIED'],
  ['status=404', 404, 'NOT_FOUND'],
  ['status=429', 429, 'RESOURCE_EXHAUSTED'],
  ['status=500', 500, 'INTERNAL'],
]) {
  test(`the provider's ${what} raises an error of that status`, async () => {
    const { models } = simulating(what);
    const error = await assertGoogleError(models.generateContent(request('hello')), status, name);
    assert.equal(error.message, 'simulated failure');
    await assertGoogleError(models.generateContentStream(request('hello')), status, name);
  });
}

for (const [what, status, name, message] of [
  ['cloudflare=2003', 429, 'RESOURCE_EXHAUSTED', /Rate limited/],
  ['cloudflare=2005', 502, 'UNAVAILABLE', /Failed to get response/],
  ['cloudflare=2009', 502, 'UNAVAILABLE', /own credentials/],
  ['policy=403', 403, 'PERMISSION_DENIED', /denied by policy/],
]) {
  test(`the AI Gateway's ${what} raises an error in Google's shape`, async () => {
    const call = simulating(what).models.generateContent(request('hello'));
    assert.match((await assertGoogleError(call, status, name)).message, message);
  });
}

test('a stream that the upstream cuts raises an error', async () => {
  const stream = await simulating('cut=body').models.generateContentStream(request('one two'));
  const seen = [];
  const reading = (async () => {
    for await (const chunk of stream) seen.push(chunk.text);
  })();
  const error = await assertRaises(reading, ApiError, 502);
  assert.match(error.message, /the upstream /);
  assert.deepEqual(seen, ['You ']);
});
