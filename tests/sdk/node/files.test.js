import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toFile } from 'openai';

import { newClient } from './support.js';

const client = await newClient();

/** Returns `length` bytes that are text in no encoding: every byte value in turn. */
function bytes(length) {
  return Buffer.alloc(length, Uint8Array.from({ length: 256 }, (_, index) => index));
}

test('an audio file is uploaded whole for transcription', async () => {
  const file = await toFile(bytes(300_000), 'speech.mp3', { type: 'audio/mpeg' });
  const transcription = await client.audio.transcriptions.create({ file, model: 'whisper-1' });
  assert.equal(transcription.text, '300000 bytes for whisper-1');
});

test('speech is downloaded byte for byte', async () => {
  const request = { model: 'gpt-4o-mini-tts', voice: 'alloy', input: 'hello' };
  const response = await client.audio.speech.create(request);
  assert.equal(response.headers.get('content-type'), 'audio/mpeg');
  const speech = Buffer.from(await response.arrayBuffer());
  assert.equal(speech.length, 200_000);
  assert.ok(speech.equals(bytes(200_000)), 'the bytes differ from those sent');
});

test('a file is uploaded', async () => {
  const content = Buffer.from('{"custom_id":"1"}\n'.repeat(5_000));
  const file = await client.files.create({
    file: await toFile(content, 'input.jsonl'),
    purpose: 'batch',
  });
  assert.equal(file.id, 'file-new');
  assert.equal(file.object, 'file');
  assert.equal(file.filename, 'input.jsonl');
  assert.equal(file.bytes, content.length);
});

test("a file's content is downloaded", async () => {
  const response = await client.files.content('file-1');
  assert.equal(response.headers.get('content-type'), 'application/octet-stream');
  assert.equal(await response.text(), 'line 1\nline 2\n');
});

test('a file is deleted', async () => {
  const deletion = await client.files.delete('file-1');
  assert.deepEqual([deletion.id, deletion.object, deletion.deleted], ['file-1', 'file', true]);
});
