from support import MODEL, chat, text_of

USAGE = (9, 12, 21)


def numbers(usage):
    return (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)


def test_a_chat_completion_has_content_finish_reason_and_usage(client):
    completion = client.chat.completions.create(**chat("Grüße, 世界"))
    assert completion.object == "chat.completion"
    assert completion.model == MODEL
    assert len(completion.choices) == 1
    assert completion.choices[0].message.role == "assistant"
    assert completion.choices[0].message.content == "You said: Grüße, 世界"
    assert completion.choices[0].finish_reason == "stop"
    assert numbers(completion.usage) == USAGE


def test_a_base_url_with_v1_works_as_well(gateway_url, new_client):
    versioned = new_client(base_url=f"{gateway_url}/openai/v1")
    completion = versioned.chat.completions.create(**chat("hello"))
    assert completion.choices[0].message.content == "You said: hello"


def test_a_streamed_chat_arrives_whole(client):
    chunks = list(client.chat.completions.create(**chat("one two Grüße", stream=True)))
    assert text_of(chunks) == "You said: one two Grüße"
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert all(chunk.usage is None for chunk in chunks)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_the_last_chunk_of_a_stream_has_the_usage_if_it_is_requested(client):
    request = chat("one two", stream=True, stream_options={"include_usage": True})
    *chunks, last = client.chat.completions.create(**request)
    assert numbers(last.usage) == USAGE
    assert last.choices == []
    assert text_of(chunks) == "You said: one two"
    assert all(chunk.usage is None for chunk in chunks)
