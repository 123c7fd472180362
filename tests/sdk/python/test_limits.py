"""Limits: what the SDKs do when a rate is reached or a budget is used up."""

import threading
import time

import anthropic
import httpx2
import openai
import pytest

from support import PATIENCE_SECONDS, create_key, open_gate, setting, simulate, unique

MESSAGES = [{"role": "user", "content": "hello"}]


class Requests(httpx2.HTTPTransport):
    """Counts the requests that are sent."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def handle_request(self, request):
        self.count += 1
        return super().handle_request(request)


def new_openai(key, transport):
    client = openai.OpenAI(
        api_key=key,
        base_url=f"{setting('GATEWAY_URL')}/openai",
        timeout=PATIENCE_SECONDS,
        max_retries=3,
        http_client=httpx2.Client(transport=transport),
    )
    body = {"model": "gpt-4o", "max_tokens": 12, "messages": MESSAGES}
    return lambda **more: client.chat.completions.create(**body | more)


def new_anthropic(key, transport):
    client = anthropic.Anthropic(
        api_key=key,
        base_url=f"{setting('GATEWAY_URL')}/anthropic",
        timeout=PATIENCE_SECONDS,
        max_retries=3,
        http_client=httpx2.Client(transport=transport),
    )
    body = {"model": "claude-sonnet-4-5", "max_tokens": 12, "messages": MESSAGES}
    return lambda **more: client.messages.create(**body | more)


SDKS = pytest.mark.parametrize(
    ("new_sender", "error"),
    [(new_openai, openai.RateLimitError), (new_anthropic, anthropic.RateLimitError)],
)


@SDKS
def test_a_reached_rate_is_waited_for_as_told(new_sender, error):
    key = create_key(teamId="sdk-python", limits={"parallelRequests": 1})["apiKey"]
    transport = Requests()
    send = new_sender(key, transport)
    gate = unique("limits")
    stream = send(stream=True, extra_headers=simulate(f"gate={gate}"))
    # The stream ends while the second request waits.
    reader = threading.Timer(0.3, lambda: (open_gate(gate), list(stream)))
    reader.start()
    start = time.monotonic()
    send()
    reader.join()
    assert time.monotonic() - start > 0.9, "it waited for the second it was told"
    assert transport.count == 3


@SDKS
def test_a_used_up_budget_fails_at_once(new_sender, error):
    budgets = [{"unit": "tokens", "amount": 21, "window": "day"}]
    key = create_key(teamId="sdk-python", limits={"budgets": budgets})["apiKey"]
    transport = Requests()
    send = new_sender(key, transport)
    served = 0
    # The request before settles after its response.
    with pytest.raises(error) as caught:
        while served < 100:
            send()
            served += 1
    assert transport.count == served + 1, "the refused request was sent once"
    assert "budget used up: this key may use 21 tokens per day" in str(caught.value)
    assert caught.value.response.headers["x-should-retry"] == "false"
