// Run in examples/node: npm ci && GATEWAY_KEY=sk_… node bedrock/chat.mjs
// Creates a chat completion on Amazon Bedrock with OpenAI's SDK.
import OpenAI from 'openai';

const { GATEWAY_URL = 'http://127.0.0.1:3000', GATEWAY_KEY } = process.env;

const client = new OpenAI({ baseURL: `${GATEWAY_URL}/bedrock`, apiKey: GATEWAY_KEY });
const completion = await client.chat.completions.create({
  model: 'nova-lite',
  messages: [{ role: 'user', content: 'Hello!' }],
});
console.log(completion.choices[0].message.content);
