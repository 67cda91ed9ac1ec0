"""What a line of the log says: about which request, task and attempt it is, for people and for machines."""

from __future__ import annotations

import json
import logging
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery import shared_task
from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.models import ApiKey, User
from analytics import sync
from publishing import claims, publish
from socialhub import traffic
from socialhub.about import HEADER, about, begin_task, end_task, enter, ids, learn, leave, send_along
from socialhub.celery import app
from socialhub.logs import RedactingFormatter, RedactingJsonFormatter
from socialhub.traffic import Tally
from tests.api.programs import program_of
from tests.factories import make_account, make_entry, make_post, workspace_of
from tests.operation.test_settings import start
from tests.sandbox_process import free_port
from tests.stage import ROOT, Stage, wait_until

TOKEN = "EAAGm0PX4ZCpsBAKZCqwertyuiopASDFGH1234567890"
FIELDS = {"time", "level", "logger", "message"}


def record(message: str, *arguments: object, error: BaseException | None = None, **extra: object) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("x.y", logging.ERROR, __file__, 1, message, arguments, info)
    made.__dict__.update(extra)
    return made


def as_json(*arguments: Any, **fields: Any) -> dict[str, Any]:
    line = RedactingJsonFormatter().format(record(*arguments, **fields))
    assert "\n" not in line
    return json.loads(line)


def as_line(*arguments: Any, **fields: Any) -> str:
    return RedactingFormatter("{levelname} {message}", style="{").format(record(*arguments, **fields))


# --- The two formats --------------------------------------------------------------------------------------------


def test_a_line_of_json_has_time_level_logger_and_message() -> None:
    told = as_json("post %s is published on %s", 7, "Instagram")
    assert set(told) == FIELDS
    assert (told["level"], told["logger"]) == ("ERROR", "x.y")
    assert told["message"] == "post 7 is published on Instagram"
    assert told["time"].endswith("+00:00")


def test_ids_and_extras_stand_beside_the_message() -> None:
    with about(request="r-1", task=None, workspace=""):
        told = as_json("hello", status=200, ms=1.5)
    assert {name: told[name] for name in set(told) - FIELDS} == {"request": "r-1", "status": 200, "ms": 1.5}


def test_what_a_line_is_about_stands_at_its_end() -> None:
    with about(request="r-1"), about(attempt=9):
        assert as_line("hello") == "ERROR hello [request=r-1 attempt=9]"
    assert as_line("hello") == "ERROR hello"


@pytest.mark.parametrize(
    "extra",
    [
        {"address": f"https://graph.facebook.com/me?access_token={TOKEN}"},
        {"nested": {"deep": [f"with {TOKEN}", {TOKEN: 1}]}},
        {"thing": type("Thing", (), {"__str__": lambda _self: TOKEN})()},
        {"body": json.dumps({"access_token": "neither-a-known-form-1234"})},
    ],
)
def test_no_token_gets_into_json_by_an_extra(extra: dict[str, object]) -> None:
    line = RedactingJsonFormatter().format(record("%s", TOKEN, **extra))
    assert TOKEN not in line
    assert "neither-a-known-form" not in line


def test_a_traceback_is_one_field_without_tokens() -> None:
    try:
        raise ValueError(f"no answer from https://graph.facebook.com/me?access_token={TOKEN}")
    except ValueError as error:
        told = as_json("it failed", error=error)
    assert TOKEN not in str(told)
    assert told["error"].startswith("Traceback")
    assert "graph.facebook.com" in told["error"]


@pytest.mark.parametrize("evil", ["a\nERROR forged", "a\r\nERROR forged", "a\x1b[2Jb", "a\u2028ERROR forged", "a\x85b"])
def test_nobody_writes_a_line_of_their_own_into_the_log(evil: str) -> None:
    plain = as_line("name: %s", evil)
    assert [line for line in plain.splitlines() if not line.startswith("    ")] == [plain.splitlines()[0]]
    assert "\x1b" not in plain
    written = RedactingJsonFormatter().format(record("name: %s", evil))
    assert len(written.splitlines()) == 1
    assert json.loads(written)["message"] == f"name: {evil}"


def test_lines_of_a_traceback_cannot_be_forged_either() -> None:
    try:
        raise ValueError("x\nERROR forged")
    except ValueError as error:
        plain = as_line("it failed", error=error)
    assert "ERROR forged" in plain
    assert not any(line.startswith("ERROR forged") for line in plain.splitlines())


def test_the_format_is_chosen_by_a_setting() -> None:
    assert set(settings.LOGGING["formatters"]) == {"line", "json"}
    assert start(LOG_FORMAT="json")[0] == 0
    code, words = start(LOG_FORMAT="xml")
    assert code != 0
    assert "LOG_FORMAT" in words


def test_what_is_printed_in_json_can_be_read_by_a_machine(capfd: pytest.CaptureFixture[str]) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingJsonFormatter())
    logging.getLogger("tests.json").addHandler(handler)
    with about(request="abc"):
        logging.getLogger("tests.json").error("Größe %s", "ü")
    logging.getLogger("tests.json").removeHandler(handler)
    told = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    assert [(one["message"], one["request"]) for one in told] == [("Größe ü", "abc")]


def test_every_line_of_the_log_is_an_object(transactional_db: None, tmp_path: Path) -> None:
    """Of the processes as the Procfile starts them: what their servers say too, from the first line to the last."""
    procfile = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    told = {"LOG_FORMAT": "json", "LOG_LEVEL": "INFO", "PORT": str(free_port()), "LISTEN": "127.0.0.1"}
    stage = Stage(tmp_path, **told, PYTHONWARNINGS="ignore::UserWarning:celery.platforms")  # of root, who may run tests
    try:
        began = [stage.run(procfile[kind]) for kind in ("web", "worker", "beat")]
        signs = ["Booting worker", "ready.", "leads the schedule"]
        logs = [tmp_path / f"process-{number}.log" for number in range(3)]
        assert wait_until(lambda: all(sign in log.read_text() for sign, log in zip(signs, logs, strict=True)), 60)
        for process in began:
            process.terminate()
            process.wait(30)
    finally:
        stage.stop()
    farewell = "worker: Warm shutdown (MainProcess)"  # what Celery says past every log when it is stopped
    for log in logs:
        lines = [line for line in log.read_text().splitlines() if line and line != farewell]
        assert len(lines) >= 1
        for line in lines:
            assert json.loads(line).keys() >= FIELDS, line


def test_the_number_of_a_request_stands_where_django_puts_the_request(caplog: pytest.LogCaptureFixture) -> None:
    Client().get("/nowhere/", headers={traffic.HEADER: "number-of-mine"})
    (refused,) = [one for one in caplog.records if one.name == "django.request"]
    assert refused.request  # type: ignore[attr-defined]
    with about(request="number-of-mine"):
        assert json.loads(RedactingJsonFormatter().format(refused))["request"] == "number-of-mine"
    assert "request" not in json.loads(RedactingJsonFormatter().format(refused))


# --- What it is about -------------------------------------------------------------------------------------------


def test_ids_end_with_what_they_belong_to() -> None:
    with about(request="r"):
        with about(attempt=1):
            learn(workspace="w")
            assert ids() == {"request": "r", "attempt": "1", "workspace": "w"}
        assert ids() == {"request": "r"}
    learn(workspace="w")
    assert ids() == {}


@shared_task
def look_around() -> dict[str, str]:
    return dict(ids())


def test_a_task_knows_the_request_that_it_came_from() -> None:
    headers: dict[str, Any] = {}
    with about(request="r-1"):
        send_along(headers=headers)
    assert headers == {HEADER: "r-1"}
    look_around.push_request(id="t-1", **headers)
    begin_task(task_id="t-1", task=look_around)
    assert ids() == {"request": "r-1", "task": "t-1"}
    end_task(task=look_around)
    look_around.pop_request()
    assert ids() == {}


def test_the_hooks_are_those_that_celery_calls() -> None:
    with about(request="r-2"):
        answer = look_around.apply(headers={HEADER: "r-2"})
    assert answer.get()["task"] == answer.id
    assert ids() == {}


def test_a_message_carries_the_number_through_the_broker() -> None:
    with app.connection_for_write() as connection:
        channel = connection.default_channel
        queue = f"about-{uuid.uuid4().hex}"
        with about(request="r-3"):
            look_around.apply_async(queue=queue, connection=connection)
        message = connection.SimpleQueue(queue).get(timeout=5)
        assert message.headers[HEADER] == "r-3"
        message.ack()
        channel.queue_delete(queue)


@pytest.mark.django_db
def test_lines_of_an_attempt_say_whose_it_is(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = workspace_of(owner)
    make_entry(make_post(workspace, make_account(workspace), status="scheduled").publications.get())
    (claim,) = claims.claim_due(1)
    seen: dict[str, str] = {}
    monkeypatch.setattr(publish, "go_on", lambda job: seen.update(ids()))
    publish.run(claim)
    assert seen == {
        "attempt": str(claim.attempt.pk),
        "publication": str(claim.publication.pk),
        "workspace": str(workspace.pk),
    }
    assert ids() == {}


# --- Requests ---------------------------------------------------------------------------------------------------


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "socialhub.access")
    return caplog


def accesses(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [one for one in caplog.records if one.name == "socialhub.access"]


@pytest.mark.django_db
def test_each_request_has_one_line(signed_in: Client, owner: User, lines: pytest.LogCaptureFixture) -> None:
    answer = signed_in.get("/posts/?q=private+words")
    (line,) = accesses(lines)
    assert (line.method, line.path, line.status, line.user) == ("GET", "/posts/", 200, str(owner.pk))
    assert line.queries > 3
    assert line.ms > 0
    assert "private" not in line.getMessage()
    assert line.getMessage().startswith("GET /posts/ 200 in ")
    assert len(answer["X-Request-ID"]) == 32


@contextmanager
def listening() -> Iterator[list[dict[str, str]]]:
    """What each line of a request is about, as a formatter would see it."""
    seen: list[dict[str, str]] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(dict(ids()))

    listener = Listener()
    logging.getLogger("socialhub.access").addHandler(listener)
    try:
        yield seen
    finally:
        logging.getLogger("socialhub.access").removeHandler(listener)


@pytest.mark.django_db
def test_lines_within_a_request_carry_its_number_and_workspace(signed_in: Client, owner: User) -> None:
    with listening() as seen:
        answer = signed_in.get("/posts/", headers={"X-Request-ID": "proxy-0042"})
    assert answer["X-Request-ID"] == "proxy-0042"
    assert seen == [{"request": "proxy-0042", "workspace": str(workspace_of(owner).pk)}]
    assert ids() == {}


@pytest.mark.django_db
def test_lines_of_a_program_say_by_which_key_it_came(owner: User) -> None:
    program = program_of(workspace_of(owner), owner)
    with listening() as seen:
        assert program("GET", "posts", X_Request_ID="program-0001").status_code == 200
    assert seen == [
        {
            "request": "program-0001",
            "workspace": str(workspace_of(owner).pk),
            "user": str(owner.pk),
            "key": str(ApiKey.objects.get().pk),
        }
    ]


@pytest.mark.django_db
def test_lines_of_a_reading_say_whose_figures_are_read(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    account = make_account(workspace_of(owner))
    seen: list[dict[str, str]] = []
    monkeypatch.setattr(sync, "_read_unless_known", lambda *_: seen.append(dict(ids())) or True)
    monkeypatch.setattr(sync.cadence, "claim_next", lambda: SimpleNamespace(account_id=account.pk))
    assert sync.read_next()
    assert seen == [{"account": str(account.pk), "workspace": str(account.workspace_id)}]


@pytest.mark.parametrize(
    "told", ["short", "x" * 65, "with space 123", "line\nbreak-123", "<script>alert(1)", "ümläut-123"]
)
def test_a_number_that_is_none_is_replaced(client: Client, told: str) -> None:
    answer = client.get("/healthz", HTTP_X_REQUEST_ID=told)
    assert answer["X-Request-ID"] != told
    assert len(answer["X-Request-ID"]) == 32


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "secret"),
    [
        ("/m/{}/name.jpg", "eyJhIjoiYiJ9:1abcde:signature-of-some-length"),
        ("/account/password/reset/key/1-{}/", "cxyz12-0123456789abcdef0123456789abcdef"),
        ("/nowhere/{}/", "0123456789abcdef0123456789abcdef0123456789abcdef"),
    ],
)
def test_no_signature_gets_into_the_line_of_a_request(
    client: Client, lines: pytest.LogCaptureFixture, address: str, secret: str
) -> None:
    client.get(address.format(secret))
    (line,) = accesses(lines)
    assert secret not in line.getMessage()
    assert secret not in line.path


@pytest.mark.django_db
def test_an_id_of_ours_stays_in_the_line(signed_in: Client, owner: User, lines: pytest.LogCaptureFixture) -> None:
    workspace = workspace_of(owner)
    post = make_post(workspace, make_account(workspace))
    address = reverse("publishing:post_detail", args=[post.pk])
    signed_in.get(address)
    assert accesses(lines)[-1].path == address


def test_what_machines_ask_for_all_the_time_is_no_line_of_an_ordinary_log(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "socialhub.access")
    client.get("/healthz")
    assert not accesses(caplog)


@pytest.mark.django_db
def test_an_answer_that_is_an_error_has_the_number_too(
    owner: User, lines: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    monkeypatch.setattr("socialhub.middleware.HtmxMiddleware.__call__", lambda *_: 1 / 0)
    answer = client.get("/posts/", headers={"X-Request-ID": "broken-0001"})
    assert (answer.status_code, answer["X-Request-ID"]) == (500, "broken-0001")
    assert accesses(lines)[-1].status == 500


@pytest.mark.django_db
def test_requests_are_counted_by_method_status_and_time(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Tally()
    monkeypatch.setattr(traffic, "tally", own)
    client.get("/healthz")
    client.get("/nowhere/")
    client.generic("BREW", "/healthz")
    own.add("GET", 200, 3.0)
    own.add("GET", 200, 99.0)
    rows = {(row["method"], row["status"]): row for row in own.rows()}
    assert set(rows) == {("GET", "2xx"), ("GET", "4xx"), ("other", "2xx")}
    assert sum(rows["GET", "2xx"]["counts"]) == 3
    assert rows["GET", "2xx"]["counts"][-3:] == [1, 0, 1]  # up to 5 s, up to 10 s, longer
    assert 102 <= rows["GET", "2xx"]["seconds"] < 103
    json.dumps(own.rows())


def test_leaving_gives_back_what_was_known() -> None:
    token = enter(request="r")
    leave(token)
    assert ids() == {}
