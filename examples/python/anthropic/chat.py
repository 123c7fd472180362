# Run in this folder: pip install -r ../requirements.txt && GATEWAY_KEY=sk_… python chat.py
# Creates a message with Claude through Anthropic's SDK.
import os

from anthropic import Anthropic

gateway = os.environ.get("GATEWAY_URL", "http://127.0.0.1:3000")
client = Anthropic(base_url=f"{gateway}/anthropic", api_key=os.environ["GATEWAY_KEY"])

message = client.messages.create(
    model="claude-haiku-4-5",
    max_tokens=1000,
    messages=[{"role": "user", "content": "Hello!"}],
)
print(message.content[0].text)
