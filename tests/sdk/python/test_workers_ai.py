"""Workers AI's own API, called without an SDK."""

import json

import httpx2
import pytest

from support import PATIENCE_SECONDS, create_key, simulate

MODEL = "@cf/meta/llama-3.1-8b-instruct"


@pytest.fixture(scope="module", params=["", "/run"], ids=["model", "run"])
def model_url(request, gateway_url):
    return f"{gateway_url}/workers-ai{request.param}/{MODEL}"


@pytest.fixture(scope="module")
def http():
    bearer = {"authorization": f"Bearer {create_key()['apiKey']}"}
    with httpx2.Client(headers=bearer, timeout=PATIENCE_SECONDS) as client:
        yield client


def test_a_prompt_returns_a_result(http, model_url):
    response = http.post(model_url, json={"prompt": "Grüße, 世界"})
    assert response.status_code == 200
    body = response.json()
    assert body["success"] is True
    assert body["errors"] == []
    assert body["result"]["response"] == "You said: Grüße, 世界"
    assert body["result"]["usage"] == {"total_tokens": 21}


def test_a_streamed_response_arrives_whole(http, model_url):
    with http.stream("POST", model_url, json={"prompt": "one two", "stream": True}) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in response.iter_lines() if line]
    assert all(line.startswith("data: ") for line in lines)
    *pieces, end = [line.removeprefix("data: ") for line in lines]
    words = [json.loads(piece)["response"] for piece in pieces]
    assert words == ["You ", "said: ", "one ", "two"]
    assert end == "[DONE]"


@pytest.mark.parametrize("key", [None, "sk_" + "0" * 64, "not-a-team-key"])
def test_an_unknown_key_is_rejected_in_cloudflares_shape(model_url, key):
    headers = {"authorization": f"Bearer {key}"} if key else {}
    response = httpx2.post(
        model_url, headers=headers, json={"prompt": "hello"}, timeout=PATIENCE_SECONDS
    )
    assert response.status_code == 401
    body = response.json()
    assert body["success"] is False
    assert body["result"] is None
    [error] = body["errors"]
    assert isinstance(error["code"], int)
    assert "api key" in error["message"]


@pytest.mark.parametrize(
    ("what", "status", "message"),
    [
        ("status=429", 429, "simulated failure"),
        ("cloudflare=2003", 429, "ai gateway error 2003: Rate limited"),
        ("cut=head", 502, "the upstream could not be reached"),
        ("policy=403", 403, "ai gateway error: Access denied by policy"),
    ],
)
def test_a_failure_has_cloudflares_shape(http, model_url, what, status, message):
    response = http.post(model_url, json={"prompt": "hello"}, headers=simulate(what))
    assert response.status_code == status
    body = response.json()
    assert body["success"] is False
    [error] = body["errors"]
    assert error["message"] == message
