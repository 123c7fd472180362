# Run in this folder: pip install -r ../requirements.txt && GATEWAY_KEY=sk_… python chat.py
# Generates content with Gemini through the Google Gen AI SDK.
import os

from google import genai

gateway = os.environ.get("GATEWAY_URL", "http://127.0.0.1:3000")
client = genai.Client(
    api_key=os.environ["GATEWAY_KEY"],
    http_options={"base_url": f"{gateway}/google"},
)

response = client.models.generate_content(model="gemini-2.5-flash", contents="Hello!")
print(response.text)
