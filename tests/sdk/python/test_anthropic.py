"""Anthropic's own SDK, on Anthropic's own API."""

import pytest
from anthropic import (
    Anthropic,
    APIStatusError,
    AuthenticationError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
)

from support import PATIENCE_SECONDS, create_key, simulate

MODEL = "claude-haiku-4-5"


def new_anthropic(gateway_url, api_key):
    return Anthropic(
        api_key=api_key,
        base_url=f"{gateway_url}/anthropic",
        timeout=PATIENCE_SECONDS,
        max_retries=0,
    )


@pytest.fixture(scope="module")
def anthropic(gateway_url):
    with new_anthropic(gateway_url, create_key()["apiKey"]) as client:
        yield client


def message(content, **more):
    messages = [{"role": "user", "content": content}]
    return {"model": MODEL, "max_tokens": 100, "messages": messages, **more}


def ask(client, what, **more):
    return client.messages.create(**message("hello", **more), extra_headers=simulate(what))


def test_a_message_has_content_stop_reason_and_usage(anthropic):
    response = anthropic.messages.create(**message("Grüße, 世界"))
    assert (response.type, response.role, response.model) == ("message", "assistant", MODEL)
    [block] = response.content
    assert (block.type, block.text) == ("text", "You said: Grüße, 世界")
    assert response.stop_reason == "end_turn"
    assert (response.usage.input_tokens, response.usage.output_tokens) == (14, 12)
    assert response._request_id == "req_simulated"


def test_a_streamed_message_arrives_event_by_event(anthropic):
    events = list(anthropic.messages.create(**message("one two", stream=True)))
    deltas = [event.delta.text for event in events if event.type == "content_block_delta"]
    assert deltas == ["You ", "said: ", "one ", "two"]
    assert events[0].type == "message_start"
    assert events[0].message.model == MODEL
    assert events[-1].type == "message_stop"


def test_the_stream_helper_of_the_sdk_ends_with_the_whole_message(anthropic):
    with anthropic.messages.stream(**message("one two Grüße")) as stream:
        words = list(stream.text_stream)
        final = stream.get_final_message()
    assert words == ["You ", "said: ", "one ", "two ", "Grüße"]
    assert final.content[0].text == "You said: one two Grüße"
    assert final.stop_reason == "end_turn"
    assert (final.usage.input_tokens, final.usage.output_tokens) == (14, 12)


def test_tokens_are_counted(anthropic):
    messages = [{"role": "user", "content": "hello"}]
    assert anthropic.messages.count_tokens(model=MODEL, messages=messages).input_tokens == 14


def test_the_models_can_be_listed_and_retrieved(anthropic):
    assert [model.id for model in anthropic.models.list()] == ["claude-sonnet-4-5", MODEL]
    assert anthropic.models.retrieve(MODEL).id == MODEL


@pytest.mark.parametrize("key", ["sk_" + "0" * 64, "sk-ant-not-a-team-key"])
def test_an_unknown_key_raises_an_authentication_error(gateway_url, key):
    with new_anthropic(gateway_url, key) as unauthorized:
        for call in [
            lambda: unauthorized.messages.create(**message("hello")),
            lambda: unauthorized.models.list(),
        ]:
            with pytest.raises(AuthenticationError) as caught:
                call()
            assert caught.value.status_code == 401
            assert caught.value.body["type"] == "error"
            assert caught.value.body["error"]["type"] == "authentication_error"
            assert "api key" in caught.value.body["error"]["message"]


@pytest.mark.parametrize(
    ("what", "error", "status", "kind"),
    [
        ("status=403", PermissionDeniedError, 403, "permission_error"),
        ("status=404", NotFoundError, 404, "not_found_error"),
        ("status=429", RateLimitError, 429, "rate_limit_error"),
        ("status=500", InternalServerError, 500, "api_error"),
    ],
)
def test_a_failure_of_the_provider_raises_its_error(anthropic, what, error, status, kind):
    with pytest.raises(error) as caught:
        ask(anthropic, what)
    assert (caught.value.status_code, caught.value.type) == (status, kind)
    assert caught.value.body["request_id"] == "req_simulated"
    assert caught.value.body["error"]["message"] == "simulated failure"


@pytest.mark.parametrize(
    ("what", "error", "status", "kind", "message"),
    [
        ("cloudflare=2003", RateLimitError, 429, "rate_limit_error", "2003: Rate limited"),
        ("cloudflare=2005", InternalServerError, 502, "api_error", "2005: Failed to get response"),
        ("policy=403", PermissionDeniedError, 403, "permission_error", "Access denied by policy"),
        ("cut=head", InternalServerError, 502, "api_error", "could not be reached"),
    ],
)
def test_a_failure_behind_the_gateway_has_anthropics_shape(
    anthropic, what, error, status, kind, message
):
    with pytest.raises(error) as caught:
        ask(anthropic, what)
    assert type(caught.value) is error
    assert caught.value.status_code == status
    assert caught.value.body["type"] == "error"
    assert caught.value.body["error"]["type"] == kind
    assert message in caught.value.body["error"]["message"]


def test_a_stream_that_the_upstream_cuts_raises_an_error(anthropic):
    stream = ask(anthropic, "cut=body", stream=True)
    assert next(stream).type == "message_start"
    with pytest.raises(APIStatusError) as caught:
        next(stream)
    assert caught.value.body["type"] == "error"
    assert caught.value.body["error"]["type"] == "api_error"
