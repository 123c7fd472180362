import json

import pytest

MODEL = "text-embedding-3-small"


def embed(client, given, **more):
    return client.embeddings.create(model=MODEL, input=given, **more)


def vectors(client, given, **more):
    return [item.embedding for item in embed(client, given, **more).data]


def test_the_default_encoding_of_the_sdk_has_the_same_numbers_as_plain_floats(client):
    raw = client.embeddings.with_raw_response.create(model=MODEL, input="a sentence")
    body = json.loads(raw.http_response.content)
    assert isinstance(body["data"][0]["embedding"], str), "the SDK did not request base64"

    [decoded] = vectors(client, "a sentence")
    [plain] = vectors(client, "a sentence", encoding_format="float")
    assert len(plain) == 8
    assert all(value > 0 for value in plain)
    assert decoded == pytest.approx(plain, rel=1e-6)


@pytest.mark.parametrize("dimensions", [3, 256])
def test_a_vector_has_the_requested_dimensions(client, dimensions):
    [vector] = vectors(client, "a sentence", dimensions=dimensions)
    assert len(vector) == dimensions


def test_two_inputs_give_two_vectors_in_order(client):
    both = embed(client, ["short", "quite a bit longer"])
    assert both.model == MODEL
    assert [item.index for item in both.data] == [0, 1]
    first, second = [item.embedding for item in both.data]
    assert first != second
    assert [first] == vectors(client, "short")
    assert [second] == vectors(client, "quite a bit longer")
