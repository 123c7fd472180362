import re

import pytest
from openai import (
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    NotFoundError,
    RateLimitError,
)

from support import chat, simulate, unique


def ask(client, what):
    return client.chat.completions.create(**chat("hello"), extra_headers=simulate(what))


@pytest.mark.parametrize("key", ["sk_" + "0" * 64, "sk-proj-not-a-team-key"])
def test_an_unknown_key_raises_an_authentication_error(new_client, key):
    unauthorized = new_client(api_key=key)
    with pytest.raises(AuthenticationError) as caught:
        unauthorized.chat.completions.create(**chat("hello"))
    assert caught.value.status_code == 401
    assert caught.value.code == "invalid_api_key"
    assert caught.value.type == "invalid_request_error"


def test_a_body_that_the_provider_rejects_raises_a_bad_request_error(client):
    with pytest.raises(BadRequestError) as caught:
        client.chat.completions.create(model="gpt-4o", messages=[])
    assert caught.value.code == "invalid_value"
    assert caught.value.param == "messages"
    assert "'messages' is a required property" in caught.value.message
    assert re.fullmatch("req_[0-9a-f]{32}", caught.value.request_id)
    assert caught.value.response.headers["x-upstream-request-id"] == "req_simulated"


def test_an_unknown_model_raises_a_not_found_error(client):
    with pytest.raises(NotFoundError) as caught:
        client.chat.completions.create(**chat("hello") | {"model": "no-such-model"})
    assert (caught.value.code, caught.value.param) == ("not_found", "model")
    with pytest.raises(NotFoundError) as caught:
        client.models.retrieve("no-such-model")
    assert caught.value.code == "not_found"


@pytest.mark.parametrize(
    ("what", "error", "status", "code"),
    [
        ("cloudflare=2005", InternalServerError, 502, "upstream_unreachable"),
        ("cloudflare=2009", InternalServerError, 502, "gateway_credentials"),
        ("cloudflare=2016", BadRequestError, 400, "content_filter"),
        ("cut=head", InternalServerError, 502, "upstream_unreachable"),
    ],
)
def test_a_failure_behind_the_gateway_raises_the_error_of_its_status(
    client, what, error, status, code
):
    with pytest.raises(error) as caught:
        ask(client, what)
    assert type(caught.value) is error
    assert (caught.value.status_code, caught.value.code) == (status, code)


def test_a_rate_limit_raises_its_error_after_the_retries_of_the_sdk(client):
    retrying = client.with_options(max_retries=1)
    with pytest.raises(RateLimitError) as caught:
        ask(retrying, "status=429")
    assert (caught.value.status_code, caught.value.code) == (429, "rate_limit_exceeded")

    # The upstream refuses two requests. The next one succeeds only if both attempts reached it.
    twice = f"status=429,times=2,id={unique('twice')}"
    with pytest.raises(RateLimitError):
        ask(retrying, twice)
    assert ask(client, twice).choices[0].message.content == "You said: hello"


def test_a_retry_of_the_sdk_gets_past_one_rate_limit(client):
    with pytest.raises(RateLimitError):
        ask(client, f"status=429,times=1,id={unique('once')}")
    retrying = client.with_options(max_retries=1)
    completion = ask(retrying, f"status=429,times=1,id={unique('once')}")
    assert completion.choices[0].message.content == "You said: hello"
