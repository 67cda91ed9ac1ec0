from __future__ import annotations

import logging
import socket
import ssl
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context

import pytest
import requests
from urllib3.exceptions import MaxRetryError, SSLError

from socialhub.platforms.errors import OurBugError, OutcomeUnknownError, TemporaryError
from socialhub.platforms.http import Transport, Usage, count, counting, translate, usage_of
from socialhub.redaction import redact

TOKEN = "EAAsecretsecretsecret0123456789"

OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"a": 1}'


@contextmanager
def server(*replies: bytes | None, connections: int = 1, accepted: list | None = None):
    """A real server on loopback. It reads a request, then sends the bytes; None: it hangs up; b"": it says nothing."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(2)  # a test that fails must not leave a thread waiting
    done = threading.Event()

    def serve() -> None:
        for _number in range(connections):
            try:
                peer, _address = listener.accept()
            except TimeoutError:
                return
            peer.settimeout(2)
            if accepted is not None:
                accepted.append(peer)
            with peer:
                for reply in replies:
                    if not peer.recv(65536):
                        break
                    if reply is None:
                        break
                    if reply:
                        peer.sendall(reply)
                    else:
                        done.wait(2)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        done.set()
        thread.join(3)
        listener.close()


@pytest.mark.parametrize("location", [b"http://[", b"http://\xff\xfe.example/"])
def test_where_an_answer_leads_to_is_never_looked_at(location):
    reply = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n"
    with server(reply) as url:
        assert Transport().request("POST", url, data={"a": "b"}, commit=True).status == 302


@pytest.fixture
def transport():
    made = Transport(connect_timeout=1, read_timeout=0.3)
    yield made
    made._session().close()


def test_a_reply_has_status_json_and_headers(transport):
    with server(OK) as url:
        reply = transport.request("GET", url)
    assert (reply.status, reply.json, reply.ok) == (200, {"a": 1}, True)
    assert reply.headers["content-type"] == "application/json"


def test_what_is_not_json_has_no_json(transport):
    html = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\n<html>"
    with server(html) as url:
        reply = transport.request("GET", url)
    assert (reply.status, reply.json, reply.ok) == (502, None, False)


def test_what_no_database_keeps_is_taken_out_of_answers(transport):
    body = rb'{"na\u0000me": ["Gar\u0000age \ud83d\ude97 \ud83d", {"n": 1}], "plain": "caf\u00e9"}'
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with server(reply) as url:
        answer = transport.request("GET", url).json
    assert answer == {"name": ["Garage \U0001f697 ", {"n": 1}], "plain": "café"}


def test_numbers_that_are_no_counts_are_taken_out_of_answers(transport):
    body = b'{"a": NaN, "b": [-Infinity, 1e999, 7], "c": 99999999999999999999, "id": "99999999999999999999", "d": 0.25}'
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with server(reply) as url:
        answer = transport.request("GET", url).json
    assert answer == {"a": None, "b": [None, None, 7], "c": None, "id": "99999999999999999999", "d": 0.25}


def test_nothing_but_brackets_is_no_json(transport):
    body = b"[" * 100_000
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)) as url:
        assert transport.request("GET", url).json is None


def test_the_connection_is_kept(transport):
    accepted: list = []
    with server(OK, OK, OK, accepted=accepted) as url:
        for _number in range(3):
            transport.request("GET", url)
    assert len(accepted) == 1


def test_redirects_are_not_followed(transport):
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/elsewhere\r\nContent-Length: 0\r\n\r\n"
    with server(moved) as url:
        assert transport.request("GET", url).status == 302


def test_proxies_of_the_environment_are_not_used(transport, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with server(OK) as url:
        assert transport.request("GET", url).ok


def test_each_thread_has_its_own_session(transport):
    sessions = []
    threads = [threading.Thread(target=lambda: sessions.append(transport._session())) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sessions[0] is not sessions[1]
    assert transport._session() is transport._session()


# Failures


@pytest.mark.parametrize("commit", [False, True])
def test_a_refused_connection_was_never_sent(transport, commit):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TemporaryError) as caught:
        transport.request("POST", f"http://127.0.0.1:{port}/feed", commit=commit)
    assert "Nothing was sent" in caught.value.message


@pytest.mark.parametrize("commit", [False, True])
def test_a_name_that_does_not_resolve_was_never_sent(transport, commit):
    with pytest.raises(TemporaryError) as caught:
        transport.request("POST", "http://nowhere.invalid/feed", commit=commit)
    assert "Nothing was sent" in caught.value.message


@pytest.mark.parametrize(("commit", "error"), [(False, TemporaryError), (True, OutcomeUnknownError)])
def test_a_hang_up_after_sending_may_have_worked(transport, commit, error):
    with server(None) as url, pytest.raises(error) as caught:
        transport.request("POST", url, data={"message": "Hello"}, commit=commit)
    assert type(caught.value) is error


@pytest.mark.parametrize(("commit", "error"), [(False, TemporaryError), (True, OutcomeUnknownError)])
def test_silence_after_sending_may_have_worked(transport, commit, error):
    with server(b"") as url, pytest.raises(error) as caught:
        transport.request("POST", url, data={"message": "Hello"}, commit=commit)
    assert type(caught.value) is error


@pytest.mark.parametrize(("commit", "error"), [(False, TemporaryError), (True, OutcomeUnknownError)])
def test_half_an_answer_may_have_worked(transport, commit, error):
    half = b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"id'
    with server(half, None) as url, pytest.raises(error) as caught:
        transport.request("POST", url, data={"message": "Hello"}, commit=commit)
    assert type(caught.value) is error


@pytest.mark.parametrize("url", ["nowhere", "http://", "http://exa mple/", "http://*.example/" + "a" * 10 + "\udcff"])
def test_an_unusable_address_is_our_fault(transport, url):
    with pytest.raises((OurBugError, TemporaryError)) as caught:
        transport.request("GET", url, commit=True)
    assert not isinstance(caught.value, OutcomeUnknownError)


@pytest.mark.parametrize(
    ("error", "sent"),
    [
        (requests.exceptions.ConnectTimeout(), False),
        (requests.exceptions.SSLError(MaxRetryError(None, "/", SSLError(ssl.SSLCertVerificationError("bad")))), False),
        (requests.exceptions.SSLError("broken off while reading"), True),
        (requests.exceptions.ReadTimeout(), True),
        (requests.exceptions.ContentDecodingError(), True),
        (requests.exceptions.RequestException(), True),
    ],
)
def test_failures_before_and_after_sending(error, sent):
    assert type(translate(error, commit=True)) is (OutcomeUnknownError if sent else TemporaryError)
    assert type(translate(error, commit=False)) is TemporaryError


# Nothing secret gets out


def test_no_token_in_errors_or_their_tracebacks(transport):
    with server(None) as url, pytest.raises(TemporaryError) as caught:
        transport.request(
            "GET", f"{url}/debug_token", params={"input_token": TOKEN}, headers={"Authorization": f"Bearer {TOKEN}"}
        )
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


def test_no_token_in_debug_logs(transport, caplog):
    with caplog.at_level(logging.DEBUG), server(OK) as url:
        transport.request("GET", f"{url}/debug_token", params={"input_token": TOKEN})
    assert "debug_token" in caplog.text  # urllib3 did log the call
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        f"Malformed access token {TOKEN}",
        f"https://graph.facebook.com/v26.0/me?access_token={TOKEN}&x=1",
        f"could not fetch https://media.example/m/{TOKEN}/image.jpg.",
        f'{{"client_secret": "{TOKEN}"}}',
        f"appsecret_proof={TOKEN}",
        f"the secret is {TOKEN}",
    ],
)
def test_redaction(text):
    cleaned = redact(text, TOKEN)
    assert TOKEN not in cleaned
    assert "[…]" in cleaned or "/…" in cleaned


def test_of_an_address_only_the_host_is_left():
    assert redact("Fetching https://media.example/m/signed/image.jpg?x=1 failed") == (
        "Fetching https://media.example/… failed"
    )


def test_redaction_leaves_plain_words_alone():
    text = "Error validating access token: Session has expired on Friday. Code: 190, see the guide"
    assert redact(text) == text


# Usage and version


def reply_with(*headers: str) -> bytes:
    return OK.replace(b"\r\n\r\n", "".join(f"\r\n{header}" for header in headers).encode() + b"\r\n\r\n", 1)


def test_usage_headers_are_told():
    told: list[Usage] = []
    transport = Transport(on_usage=told.append)
    answer = reply_with(
        'X-App-Usage: {"call_count": 31, "total_time": 12, "total_cputime": 9}',
        'X-Business-Use-Case-Usage: {"1784": [{"type": "instagram", "call_count": 92, "total_cputime": 14, '
        '"total_time": 95, "estimated_time_to_regain_access": 7}]}',
    )
    with server(answer, OK) as url:
        transport.request("GET", url)
        transport.request("GET", url)
    transport._session().close()
    (usage,) = told
    assert usage.app_percent == 31
    (account,) = usage.accounts
    assert (account.account_id, account.type, account.percent, account.regain_seconds) == ("1784", "instagram", 95, 420)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-app-usage": "nonsense"},
        {"x-app-usage": "[]", "x-business-use-case-usage": '{"1": null, "2": [3]}'},
        {"x-business-use-case-usage": '{"1": [{"type": "pages", "call_count": "many"}]}'},
    ],
)
def test_odd_usage_headers_do_no_harm(headers):
    usage = usage_of(headers)
    assert usage is not None
    assert usage.app_percent is None
    assert usage.regain_seconds("1") == 0


def test_another_version_than_the_pinned_one_is_told():
    told: list[str] = []
    transport = Transport(version="v26.0", on_version=told.append)
    with server(reply_with("facebook-api-version: v26.0"), OK, reply_with("facebook-api-version: v22.0")) as url:
        for _number in range(3):
            transport.request("GET", url)
    transport._session().close()
    assert told == ["v22.0"]


def test_requests_are_counted_also_those_without_an_answer(transport):
    with server(OK) as url, counting() as outer:
        transport.request("GET", url)
        with counting() as inner, pytest.raises(OurBugError):
            transport.request("GET", "http://")
    count()
    assert (outer.number, inner.number) == (2, 1)


def test_a_count_is_that_of_whoever_asked_for_it():
    with counting() as ours, ThreadPoolExecutor(1) as pool:
        pool.submit(count, 5).result()
        for _time in range(3):
            pool.submit(copy_context().run, count, 2).result()
    assert ours.number == 6


def test_the_secret_of_a_webhook_is_taken_out_of_a_line() -> None:
    secret = "whsec_" + "aB3+/" * 8 + "xyz="
    assert "aB3" not in redact(f"the secret {secret} was shown")
