"""The doctor finds what is wrong, says what to do, and gives nothing away."""

from __future__ import annotations

import datetime
import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import override_settings
from django.utils import timezone

from accounts import operators
from accounts.models import User, Workspace
from publishing.media import store_upload
from publishing.models import QueueEntry
from socialhub import doctor
from socialhub.doctor import Line, Mark, examine
from socialhub.models import BeatLease, Heartbeat, ProcessHeartbeat
from tests.factories import make_account, make_entry, make_post
from tests.kinds import FILES
from tests.operation.test_settings import ROOT, VALID

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("quiet"),
]


@pytest.fixture
def quiet(settings: Any) -> None:
    settings.DEBUG = True  # what a real site needs is looked at by the check of deployment settings


@pytest.fixture
def at_work(db: None) -> None:
    Heartbeat.beat()
    assert BeatLease.take("beat", seconds=30)
    now = timezone.now()
    ProcessHeartbeat.objects.create(name="w", kind="worker", host="here", started_at=now, seen_at=now)


def of(topic: str, lines: list[Line], *marks: Mark) -> str:
    """What is said of a topic, with those marks."""
    return " ".join(f"{line.text} {line.advice}" for line in lines if line.topic == topic and line.mark in marks)


def failures(look: Callable[[], Iterator[Line]]) -> list[Line]:
    return [line for line in doctor.attended("x", look) if line.mark is Mark.FAIL]


@contextmanager
def server(answer: Callable[[BaseHTTPRequestHandler], None], context: ssl.SSLContext | None = None) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *args: object) -> None:
            pass

    made = HTTPServer(("127.0.0.1", 0), Handler)
    if context:
        made.socket = context.wrap_socket(made.socket, server_side=True)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"{'https' if context else 'http'}://localhost:{made.server_port}"
    finally:
        made.shutdown()
        made.server_close()
        thread.join()


def answering(status: int, body: bytes = b"ok", **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def certificate(folder: Path, days: int) -> ssl.SSLContext:
    """For localhost, signed by itself; stands in folder/cert.pem."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=days, hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    return context


# --- All is well, and told ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("at_work")
def test_where_all_is_well_nothing_fails() -> None:
    lines = examine(outside=False)
    assert [line for line in lines if line.mark is Mark.FAIL] == []
    assert {line.topic for line in lines} >= {"settings", "secrets", "database", "redis", "processes", "files", "queue"}


@pytest.mark.usefixtures("at_work")
def test_the_command_ends_well_and_speaks_to_people_and_programs() -> None:
    people, programs = StringIO(), StringIO()
    call_command("doctor", "--offline", stdout=people)
    call_command("doctor", "--offline", "--json", stdout=programs)
    assert "0 failures" in people.getvalue()
    told = json.loads(programs.getvalue())
    assert told["ok"] is True
    assert {"topic", "mark", "text", "advice"} == set(told["lines"][0])


def test_the_command_ends_with_1_where_something_fails() -> None:
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", "--offline", stdout=out)
    assert ended.value.code == 1
    assert "No worker is at work. " not in out.getvalue()
    assert "→ Start the process “worker” of the Procfile." in out.getvalue()


@pytest.mark.usefixtures("at_work")
def test_no_line_holds_a_secret() -> None:
    out = StringIO()
    secrets = {"EMAIL_HOST_PASSWORD": "mail-password-1", "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": 9}
    with (
        override_settings(EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend", **secrets),
        pytest.raises(SystemExit),
    ):
        call_command("doctor", stdout=out)
    hidden = [settings.SECRET_KEY, *settings.FERNET_KEYS, settings.META_APP_SECRET, "mail-password-1"]
    assert not [secret for secret in hidden if secret in out.getvalue()]


@pytest.mark.usefixtures("at_work")
def test_trouble_with_one_thing_does_not_keep_it_from_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Iterator[Line]:
        raise ZeroDivisionError("nobody expected that")

    monkeypatch.setattr(doctor, "mail", broken)
    lines = examine(outside=False)
    assert "nobody expected that" in of("mail", lines, Mark.FAIL)
    assert of("queue", lines, Mark.OK)
    assert "could not look at mail" in caplog.text


def test_a_database_that_is_away_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object, **more: object) -> None:
        raise OperationalError("connection refused\nIs the server running?")

    monkeypatch.setattr(connection, "cursor", away)
    lines = examine(outside=False)
    assert "connection refused Start PostgreSQL" in of("database", lines, Mark.FAIL)
    assert of("queue", lines, Mark.FAIL) == "Not looked at, since the database does not answer. "
    assert of("redis", lines, Mark.OK), "the rest is looked at all the same"


# --- Each trouble ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["brief-1", "a" * 60, "django-insecure-" + "x1y2z3" * 10])
def test_a_weak_secret_is_found(key: str) -> None:
    with override_settings(SECRET_KEY=key):
        (line,) = failures(doctor.secrets_strength)
    assert "SECRET_KEY" in line.text
    assert key not in line.text + line.advice


def test_one_secret_for_two_purposes_is_found() -> None:
    with override_settings(FERNET_KEYS=[settings.SECRET_KEY]):
        (line,) = failures(doctor.secrets_strength)
    assert "twice" in line.text


def test_what_a_real_site_must_not_be_is_found() -> None:
    with override_settings(DEBUG=False, SECURE_SSL_REDIRECT=False):
        assert "W008" in of("settings", doctor.attended("settings", doctor.deployment), Mark.FAIL)


def test_migrations_that_are_not_applied_are_found() -> None:
    MigrationRecorder.Migration.objects.filter(app="publishing").order_by("-id")[:1].get().delete()
    (line,) = failures(doctor.database)
    assert (line.text, line.advice) == ("1 migrations are not applied.", "Run: manage.py migrate")


def test_clocks_that_differ_are_found() -> None:
    assert [doctor.skew_line("x", seconds).mark for seconds in (0.1, 5, 100)] == [Mark.OK, Mark.WARN, Mark.FAIL]


def test_a_redis_that_throws_messages_away_is_found() -> None:
    client = redis.Redis.from_url(settings.CACHES["default"]["LOCATION"])
    client.config_set("maxmemory", "200mb")
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        lines = doctor.attended("redis", doctor.redis_servers)
    finally:
        client.config_set("maxmemory", "0")
        client.config_set("maxmemory-policy", "noeviction")
        client.close()
    assert "allkeys-lru" in of("redis", lines, Mark.WARN)


def test_a_redis_that_is_away_is_found(tmp_path: Path) -> None:
    caches = {"default": {**settings.CACHES["default"], "LOCATION": f"unix://{tmp_path}/nobody.sock"}}
    with override_settings(CACHES=caches):
        (line,) = failures(doctor.redis_servers)
    assert "REDIS_URL" in line.advice


def test_silent_processes_are_found_one_by_one() -> None:
    told = of("processes", doctor.attended("processes", doctor.processes), Mark.FAIL)
    assert "No scheduler" in told
    assert "No worker" in told
    assert "have not worked together yet" in told
    assert "ask again in a minute" in told


def test_a_full_disk_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for free, mark in ((10 * 1024**3, Mark.OK), (1024**3, Mark.WARN), (1024**2, Mark.FAIL)):
        usage = doctor.shutil.disk_usage(tmp_path)._replace(free=free)
        monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder, usage=usage: usage)
        assert doctor.disk(tmp_path).mark is mark


def test_a_folder_that_takes_no_files_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(default_storage._wrapped), "_save", full)  # type: ignore[attr-defined]
    (line,) = failures(doctor.files)
    assert "No space left" in line.text


def test_nothing_is_left_behind_where_files_are() -> None:
    assert not failures(doctor.files)
    assert default_storage.listdir("doctor")[1] == []


def test_a_mail_server_that_is_away_is_found() -> None:
    with override_settings(
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend", EMAIL_HOST="127.0.0.1", EMAIL_PORT=9
    ):
        (line,) = failures(doctor.mail)
    assert "EMAIL_URL" in line.advice


def test_what_is_overdue_is_counted(workspace: Workspace) -> None:
    post = make_post(workspace, make_account(workspace))
    make_entry(post.publications.get())
    assert of("queue", doctor.attended("queue", doctor.queue), Mark.WARN) == ""
    QueueEntry.objects.update(not_before=timezone.now() - datetime.timedelta(minutes=6))
    assert "1 publications" in of("queue", doctor.attended("queue", doctor.queue), Mark.WARN)


def test_what_operators_were_told_is_told_again() -> None:
    operators.warn("x", title="The key is old", body="Make a new one.")
    assert "The key is old Make a new one." in of("notices", doctor.attended("notices", doctor.notices), Mark.WARN)


# --- As networks see it ---------------------------------------------------------------------------------------


def test_an_address_that_no_network_can_reach_is_found() -> None:
    with override_settings(SANDBOX=False, PUBLIC_BASE_URL="http://127.0.0.1:9"):
        told = of("address", doctor.attended("address", doctor.public_address), Mark.FAIL)
    assert "leads to 127.0.0.1" in told
    assert "no TLS" in told
    assert "does not answer" in told


def test_a_name_that_nobody_knows_is_found() -> None:
    with override_settings(PUBLIC_BASE_URL="https://hub.invalid"):
        (line,) = failures(doctor.public_address)
    assert "DNS" in line.advice


@pytest.mark.parametrize("status", [301, 403, 404, 502])
def test_an_address_that_leads_elsewhere_is_found(status: int) -> None:
    with server(answering(status, Location="/elsewhere")) as url, override_settings(PUBLIC_BASE_URL=url):
        (line,) = failures(doctor.public_address)
    assert str(status) in line.text


def test_an_address_that_answers_is_fine() -> None:
    with server(answering(200)) as url, override_settings(PUBLIC_BASE_URL=url):
        assert not failures(doctor.public_address)


def test_a_certificate_that_nobody_trusts_is_found(tmp_path: Path) -> None:
    with server(answering(200), certificate(tmp_path, 90)) as url, override_settings(PUBLIC_BASE_URL=url):
        told = [line.text for line in failures(doctor.public_address)]
    assert any("certificate is not accepted" in text for text in told)
    assert not any("does not answer" in text for text in told), "one trouble, one line"


@pytest.mark.parametrize(("days", "mark"), [(90, Mark.OK), (5, Mark.WARN)])
def test_the_end_of_a_certificate_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, mark: Mark
) -> None:
    with server(answering(200), certificate(tmp_path, days)) as url:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        line = doctor.certificate("localhost", int(url.rpartition(":")[2]))
    assert line.mark is mark, line
    assert ("5 days" in line.text) is (mark is Mark.WARN)


@pytest.mark.django_db(transaction=True)
def test_a_picture_is_fetched_as_a_network_fetches_it(workspace: Workspace, owner: User, live_server: Any) -> None:
    assert "Nothing was uploaded" in of("media", doctor.attended("media", doctor.media_by_address), Mark.OK)
    store_upload(workspace, owner, FILES["dark"].upload())
    with override_settings(PUBLIC_BASE_URL=live_server.url):
        assert "came back" in of("media", doctor.attended("media", doctor.media_by_address), Mark.OK)
    robot = answering(200, b"<html>Are you a robot?</html>", **{"Content-Type": "text/html"})
    with server(robot) as url, override_settings(PUBLIC_BASE_URL=url):
        (line,) = failures(doctor.media_by_address)
    assert "text/html" in line.text
    assert "protection against bots" in line.advice


def test_networks_that_do_not_know_our_apps_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with override_settings(
        META_GRAPH_URL="http://127.0.0.1:9/graph", LINKEDIN_OAUTH_URL="http://127.0.0.1:9/l", INSTAGRAM_APP_ID=""
    ):
        lines = doctor.attended("networks", doctor.networks)
    assert of("networks", lines, Mark.FAIL, Mark.WARN)
    assert all(line.advice for line in lines if line.mark is not Mark.OK)


@pytest.mark.parametrize("wrong", [{"FERNET_KEYS": "short"}, {"PUBLIC_BASE_URL": "hub"}])
def test_a_wrong_setting_is_told_in_one_line(wrong: dict[str, str]) -> None:
    env = {"PATH": os.environ["PATH"], **VALID, **wrong}
    answer = subprocess.run(
        [sys.executable, "manage.py", "doctor"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1
    (line,) = answer.stderr.splitlines()
    assert next(iter(wrong)) in line
    assert ".env.example" in line
