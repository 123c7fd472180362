"""What the tests need of their surroundings."""

import json
import os
import urllib.error
import urllib.request
from uuid import uuid4

# No answer takes longer, unless something between client and upstream holds it back.
PATIENCE_SECONDS = 10

MODEL = "gpt-4o-mini"

SETTINGS = ("GATEWAY_URL", "SIMULATOR_URL", "ADMIN_TOKEN")


def setting(name):
    return os.environ[name].rstrip("/")


def post(url, bearer=None, body=None):
    """Status and JSON body of the answer, whatever the status is."""
    headers = {"content-type": "application/json"}
    if bearer is not None:
        headers["authorization"] = f"Bearer {bearer}"
    data = b"" if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def create_key(**wish):
    """A new key, as the gateway tells it."""
    body = wish or {"teamId": "sdk-python"}
    status, key = post(f"{setting('GATEWAY_URL')}/tokens", setting("ADMIN_TOKEN"), body)
    assert status == 201, key
    return key


def open_gate(name):
    status, _ = post(f"{setting('SIMULATOR_URL')}/-/gates/{name}")
    assert status == 200


def unique(name):
    return f"python-{name}-{uuid4()}"


def chat(content, **more):
    """A chat request of one message."""
    return {"model": MODEL, "messages": [{"role": "user", "content": content}], **more}


def simulate(what):
    """Headers that ask the simulated upstream for `what`."""
    return {"x-simulate": what}


def text_of(chunks):
    """The text of chat chunks."""
    deltas = [choice.delta.content for chunk in chunks for choice in chunk.choices]
    return "".join(delta or "" for delta in deltas)
