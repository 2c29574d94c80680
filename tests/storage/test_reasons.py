"""What an engine says becomes words of a user: every text below is one it has given."""

from __future__ import annotations

import time

import pytest

from penstock.storage._reasons import plain_reason

S3 = "LanceError(IO): Generic S3 error: Error performing GET https://s3.eu.amazonaws.com/b/set/data/ab1.lance in 1.2s, after 3 retries, max_retries: 10, retry_timeout: 180s - "
SOURCE = ", /build/registry/src/lance-io-0.30.0/src/object_store.rs:141:51"
FORBIDDEN_WORDS = ("Lance", "S3", ".rs", "https", "Generic", "retries", "<?xml", "::")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            S3 + "Server returned non-2xx status code: 403 Forbidden: <?xml version='1.0'?><Error/>" + SOURCE,
            "access was denied",
        ),
        (S3 + "Server returned non-2xx status code: 401 Unauthorized: " + SOURCE, "access was denied"),
        (S3 + "<Code>InvalidAccessKeyId</Code>", "access was denied"),
        (S3 + "error sending request for url (http://169.254.169.254/latest/api/token)", "no credentials were found"),
        (S3 + "Server returned non-2xx status code: 404 Not Found", "a file of the dataset is missing (ab1.lance)"),
        (S3 + "<Code>NoSuchBucket</Code> 404", "the bucket does not exist"),
        (S3 + "error sending request for url (https://b/): operation timed out", "the storage does not respond"),
        (S3 + "error sending request for url: client error (Connect): dns error", "the storage is not reachable"),
        (S3 + "Server returned error response: 503 SlowDown", "the storage is not available now"),
        (S3 + "Received redirect without LOCATION, status code: 301", "the bucket is in another region"),
        ("LanceError(IO): Io error: No space left on device (os error 28)" + SOURCE, "the disk is full"),
        ("LanceError(IO): Io error: Permission denied (os error 13)" + SOURCE, "permission was denied"),
        ("Not found: tmp/x/samples.lance/data/0a.lance" + SOURCE, "a file of the dataset is missing (0a.lance)"),
        (
            "LanceError(IO): Invalid file: does not contain a valid magic number" + SOURCE,
            "a file of the dataset is damaged",
        ),
        ("Io error: failed to fill whole buffer" + SOURCE, "a file of the dataset is damaged"),
        (
            "LanceError(IO): failed to decode Protobuf message: invalid wire type" + SOURCE,
            "a file of the dataset is damaged",
        ),
        ("called `Result::unwrap()` on an `Err` value: RecvError(())", "the storage engine failed"),
        (
            "LanceError(Internal): Encountered internal error. Please file a bug report at https://github.com/x",
            "the storage engine failed",
        ),
        ("", "the storage engine failed"),
        ("the archive is compressed", "the archive is compressed"),
    ],
)
def test_a_reason_is_in_words_of_a_user(text, reason):
    said = plain_reason(OSError(text))
    assert said == reason
    assert not any(word in said for word in FORBIDDEN_WORDS)


@pytest.mark.parametrize("piece", ["a", "/", "a/", "a.b-", "Io ", "Io: ", "(", "x" * 79 + "."])
def test_a_long_text_is_read_in_no_time(piece):
    begin = time.thread_time()
    plain_reason(OSError(piece * 100_000))
    assert time.thread_time() - begin < 1
