// Uploads that are rejected before they are read: the client must see why, not a broken connection.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { GATEWAY_URL, UNKNOWN_KEY, createKey } from './support.js';

const ATTEMPTS = 50;
const MEBIBYTE = 1024 * 1024;

/** Returns a stream of `length` bytes in chunks of 64 KiB. */
function streamOf(length) {
  const chunk = new Uint8Array(64 * 1024).fill(32);
  let left = length;
  return new ReadableStream({
    pull(controller) {
      if (left <= 0) return controller.close();
      controller.enqueue(chunk.subarray(0, Math.min(left, chunk.length)));
      left -= chunk.length;
    },
  });
}

function upload(path, key, body, headers) {
  return fetch(`${GATEWAY_URL}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    body,
    duplex: 'half',
  });
}

/** Sends the request many times; fails for anything but `status` with `code`. */
async function assertRejected(send, status, code) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const response = await send();
    assert.equal(response.status, status);
    assert.equal((await response.json()).error.code, code);
  }
}

test('a streamed upload with a wrong key is a 401 each time', async () => {
  const send = () => upload('/openai/chat/completions', UNKNOWN_KEY, streamOf(2 * MEBIBYTE));
  await assertRejected(send, 401, 'invalid_api_key');
});

test('a known body with a wrong key is a 401 each time', async () => {
  const body = new Uint8Array(2 * MEBIBYTE).fill(32);
  const send = () => upload('/anthropic/v1/chat/completions', UNKNOWN_KEY, body);
  await assertRejected(send, 401, 'invalid_api_key');
});

test('a body that is too large is a 413 each time', async () => {
  const { apiKey } = await createKey();
  const body = new Uint8Array(40 * MEBIBYTE).fill(32);
  const send = () => upload('/openai/chat/completions', apiKey, body);
  await assertRejected(send, 413, 'request_too_large');
});

test('a streamed body that is too large is a 413 each time', async () => {
  const { apiKey } = await createKey();
  const send = () => upload('/openai/chat/completions', apiKey, streamOf(40 * MEBIBYTE));
  await assertRejected(send, 413, 'request_too_large');
});
