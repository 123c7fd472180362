import pytest
from openai import APIError

from support import MODEL, chat, open_gate, simulate, text_of, unique


def test_the_first_chunk_arrives_while_the_upstream_is_still_sending(client):
    gate = unique("gate")
    try:
        # The client's timeout applies to each read, so it fails a gateway that buffers the body.
        stream = client.chat.completions.create(
            **chat("one two", stream=True), extra_headers=simulate(f"gate={gate}")
        )
        first = next(stream)
        assert first.choices[0].delta.role == "assistant"

        open_gate(gate)
        rest = list(stream)
        assert text_of(rest) == "You said: one two"
        assert rest[-1].choices[0].finish_reason == "stop"
    finally:
        open_gate(gate)


def test_a_chat_stream_that_the_upstream_cuts_raises_an_error(client):
    stream = client.chat.completions.create(
        **chat("one two", stream=True), extra_headers=simulate("cut=body")
    )
    first = next(stream)
    assert first.choices[0].delta.role == "assistant"
    with pytest.raises(APIError) as caught:
        next(stream)
    assert type(caught.value) is APIError
    assert caught.value.code == "upstream_interrupted"


def test_a_responses_stream_that_the_upstream_cuts_raises_an_error(client):
    stream = client.responses.create(
        model=MODEL, input="one two", stream=True, extra_headers=simulate("cut=body")
    )
    assert next(stream).type == "response.created"
    with pytest.raises(APIError) as caught:
        next(stream)
    assert type(caught.value) is APIError
    assert caught.value.code == "upstream_interrupted"
