// Run in examples/node: npm ci && GATEWAY_KEY=sk_… node google/chat.mjs
// Generates content with Gemini through the Google Gen AI SDK.
import { GoogleGenAI } from '@google/genai';

const { GATEWAY_URL = 'http://127.0.0.1:3000', GATEWAY_KEY } = process.env;

const client = new GoogleGenAI({
  apiKey: GATEWAY_KEY,
  httpOptions: { baseUrl: `${GATEWAY_URL}/google` },
});
const response = await client.models.generateContent({
  model: 'gemini-2.5-flash',
  contents: 'Hello!',
});
console.log(response.text);
