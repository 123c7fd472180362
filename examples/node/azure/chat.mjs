// Run in examples/node: npm ci && GATEWAY_KEY=sk_… node azure/chat.mjs
// Creates a chat completion on Azure OpenAI with the Azure client of OpenAI's SDK.
import { AzureOpenAI } from 'openai';

const { GATEWAY_URL = 'http://127.0.0.1:3000', GATEWAY_KEY } = process.env;

const client = new AzureOpenAI({
  endpoint: `${GATEWAY_URL}/azure`,
  apiKey: GATEWAY_KEY,
  apiVersion: '2024-10-21',
});
const completion = await client.chat.completions.create({
  model: 'gpt-4o', // the name of your Azure deployment
  messages: [{ role: 'user', content: 'Hello!' }],
});
console.log(completion.choices[0].message.content);
