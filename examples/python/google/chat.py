# pip install -r ../requirements.txt && GATEWAY_KEY=sk_… python chat.py
import os

from google import genai

gateway = os.environ.get("GATEWAY_URL", "http://127.0.0.1:3000")
client = genai.Client(
    api_key=os.environ["GATEWAY_KEY"],
    http_options={"base_url": f"{gateway}/google"},
)

answer = client.models.generate_content(model="gemini-2.5-flash", contents="Hello!")
print(answer.text)
