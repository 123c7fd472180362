def binary(length):
    """Returns `length` bytes that are text in no encoding: every byte value in turn."""
    return bytes(index % 256 for index in range(length))


def test_an_audio_file_is_uploaded_whole_for_transcription(client):
    file = ("speech.mp3", binary(300_000), "audio/mpeg")
    transcription = client.audio.transcriptions.create(file=file, model="whisper-1")
    assert transcription.text == "300000 bytes for whisper-1"


def test_speech_is_downloaded_byte_for_byte(client):
    speech = client.audio.speech.create(model="gpt-4o-mini-tts", voice="alloy", input="hello")
    assert speech.response.headers["content-type"] == "audio/mpeg"
    assert len(speech.content) == 200_000
    assert speech.content == binary(200_000)


def test_a_file_is_uploaded(client):
    content = b'{"custom_id":"1"}\n' * 5_000
    file = client.files.create(file=("input.jsonl", content), purpose="batch")
    assert (file.id, file.object) == ("file-new", "file")
    assert (file.filename, file.bytes) == ("input.jsonl", len(content))


def test_the_content_of_a_file_is_downloaded(client):
    content = client.files.content("file-1")
    assert content.response.headers["content-type"] == "application/octet-stream"
    assert content.text == "line 1\nline 2\n"


# The SDK announces JSON here, and sends no body.
def test_a_file_is_deleted(client):
    deletion = client.files.delete("file-1")
    assert (deletion.id, deletion.object, deletion.deleted) == ("file-1", "file", True)
