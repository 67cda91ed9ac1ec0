"""Looking at everything that this installation needs, one by one: what works, what does not, and what to do about it.

Nothing is changed, besides a small file that is written and taken away again. No line holds a secret.
"""

from __future__ import annotations

import logging
import shutil
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import redis
import requests
from celery import current_app
from django.conf import settings
from django.core.checks import WARNING, run_checks
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.mail import get_connection
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.doctor import State, is_reachable
from accounts.models import OperatorNotice
from accounts.providers import PROVIDERS
from publishing.media import public_url, rendition
from publishing.models import MediaFile, QueueEntry, Rendition
from socialhub.health import HEARTBEAT_LIMIT, scheduler_leads, workers_are_heard
from socialhub.models import Heartbeat
from socialhub.outside import is_public
from socialhub.platforms.base import MediaKind
from socialhub.platforms.errors import PlatformError
from socialhub.platforms.rules import IMAGE
from socialhub.redaction import redact

logger = logging.getLogger(__name__)

OLDEST_POSTGRES = 14
SKEW_WARN, SKEW_FAIL = 2.0, 30.0  # seconds
CERTIFICATE_DAYS = 14
DISK_WARN, DISK_FAIL = 2 * 1024**3, 256 * 1024**2
CONNECTIONS_WARN = 0.8
NETWORK_SECONDS = 8
OVERDUE = timedelta(minutes=5)
# As Meta's fetcher calls itself: a firewall that keeps such visitors out keeps our pictures from being published.
AS_A_NETWORK = {"User-Agent": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"}
AT_THE_NETWORK = (
    "Compare what is set for this network with its app's dashboard; .env.example names the settings. Where the network "
    "cannot be reached at all, look at the way out to the internet."
)
# Nothing in Redis must survive, but a message that is thrown away costs a wait for the next beat.
EVICTS_ALL = ("allkeys-lru", "allkeys-lfu", "allkeys-random")


class Mark(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Line:
    """advice: what to do; "" where nothing is to be done."""

    topic: str
    mark: Mark
    text: str
    advice: str = ""


Findings = Iterator[Line]


def examine(*, outside: bool = True) -> list[Line]:
    """outside: also ask the internet: the networks, and this installation by its public address. Never raises."""
    topics: list[tuple[str, Callable[[], Findings]]] = [
        ("settings", deployment),
        ("secrets", secrets_strength),
        ("database", database),
        ("redis", redis_servers),
        ("processes", processes),
        ("files", files),
        ("mail", mail),
        ("queue", queue),
        ("notices", notices),
    ]
    if outside:
        topics += [("address", public_address), ("media", media_by_address), ("networks", networks), ("clock", clock)]
    return [line for topic, look in topics for line in attended(topic, look)]


def attended(topic: str, look: Callable[[], Findings]) -> list[Line]:
    """One topic must not keep the others from being looked at."""
    found: list[Line] = []
    try:
        found.extend(look())
    except (DatabaseError, InterfaceError) as error:
        if topic == "database":
            advice = "Start PostgreSQL, or correct DATABASE_URL; where tables are missing, run: manage.py migrate"
            found.append(Line(topic, Mark.FAIL, f"The database does not answer: {first_line(error)}", advice))
        else:
            found.append(Line(topic, Mark.FAIL, "Not looked at, since the database does not answer."))
    except Exception as error:
        logger.exception("the doctor could not look at %s", topic)
        found.append(Line(topic, Mark.FAIL, f"This could not be looked at: {first_line(error)}", "The log says more."))
    return found


def first_line(error: BaseException) -> str:
    return redact((str(error).strip() or type(error).__name__).splitlines()[0])


# --- Settings -------------------------------------------------------------------------------------------------


def deployment() -> Findings:
    if settings.DEBUG:
        yield Line("settings", Mark.WARN, "DEBUG is on.", "Never on a public site: error pages show what is inside.")
    if settings.SANDBOX:
        yield Line("settings", Mark.WARN, "SANDBOX is on: all networks are simulated.", "Unset SANDBOX to go live.")
    serious = [
        message for message in run_checks(include_deployment_checks=not settings.DEBUG) if message.level >= WARNING
    ]
    for message in serious:
        yield Line("settings", Mark.FAIL, f"{message.id}: {message.msg}", str(message.hint or ""))
    if not serious:
        yield Line("settings", Mark.OK, "Django finds nothing to complain about.")


def secrets_strength() -> Findings:
    """By their looks: whoever guesses one of them is in."""
    named = [
        ("SECRET_KEY", settings.SECRET_KEY),
        *((f"FERNET_KEYS[{n}]", key) for n, key in enumerate(settings.FERNET_KEYS)),
    ]
    advice = 'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
    weak = [name for name, key in named if len(key) < 32 or len(set(key)) < 12 or key.startswith("django-insecure-")]
    for name in weak:
        yield Line("secrets", Mark.FAIL, f"{name} is short, or looks as if a person had made it up.", advice)
    if len({key for _name, key in named}) < len(named):
        yield Line("secrets", Mark.FAIL, "The same secret is used twice.", f"Each needs one of its own. {advice}")
    elif not weak:
        yield Line("secrets", Mark.OK, f"SECRET_KEY and {len(settings.FERNET_KEYS)} encryption keys look random.")


# --- Servers --------------------------------------------------------------------------------------------------


def database() -> Findings:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), current_setting('server_version_num')::int / 10000,"
            " current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,"
            " (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),"
            " extract(epoch FROM clock_timestamp())::float8, pg_size_pretty(pg_database_size(current_database()))"
        )
        version, major, most, used, told, size = cursor.fetchone()
        skew = abs(timezone.now().timestamp() - told)
    if major < OLDEST_POSTGRES:
        yield Line(
            "database", Mark.FAIL, f"PostgreSQL {version} is too old.", f"Move to {OLDEST_POSTGRES} or a newer one."
        )
    else:
        yield Line("database", Mark.OK, f"PostgreSQL {version}, {size}.")
    if used > most * CONNECTIONS_WARN:
        yield Line(
            "database",
            Mark.WARN,
            f"{used} of {most} connections are in use.",
            "Raise max_connections, lower PUBLISH_THREADS, or put a pooler in front.",
        )
    yield skew_line("The database's clock", skew)
    executor = MigrationExecutor(connection)
    if missing := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        yield Line("database", Mark.FAIL, f"{len(missing)} migrations are not applied.", "Run: manage.py migrate")
    else:
        yield Line("database", Mark.OK, "All migrations are applied.")


def skew_line(whose: str, seconds: float) -> Line:
    mark = Mark.FAIL if seconds > SKEW_FAIL else Mark.WARN if seconds > SKEW_WARN else Mark.OK
    advice = "" if mark is Mark.OK else "Let all machines take their time from NTP: posts go out by these clocks."
    return Line("clock", mark, f"{whose} and this machine's differ by {seconds:.1f} s.", advice)


def redis_servers() -> Findings:
    try:
        with redis.Redis.from_url(str(settings.CACHES["default"]["LOCATION"]), socket_timeout=3) as client:
            facts: Any = client.info()
    except redis.RedisError as error:
        yield Line("redis", Mark.FAIL, f"Redis does not answer: {first_line(error)}", "Start it, or correct REDIS_URL.")
        return
    policy = facts.get("maxmemory_policy", "")
    yield Line("redis", Mark.OK, f"Version {facts['redis_version']}, {facts['used_memory_human']} in use.")
    if facts.get("maxmemory") and policy in EVICTS_ALL:
        yield Line(
            "redis",
            Mark.WARN,
            f"It throws away anything when its memory is full ({policy}), messages to workers too.",
            "Set maxmemory-policy to volatile-lru: only what may be forgotten has an end.",
        )
    try:
        with current_app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, timeout=3)
    except (OperationalError, redis.RedisError) as error:
        yield Line("redis", Mark.FAIL, f"No messages can be sent: {first_line(error)}", "Look at REDIS_BROKER_DB.")


def processes() -> Findings:
    if scheduler_leads():
        yield Line("processes", Mark.OK, "A scheduler is at work.")
    else:
        yield Line("processes", Mark.FAIL, "No scheduler is at work.", "Start the process “beat” of the Procfile.")
    if workers_are_heard():
        yield Line("processes", Mark.OK, "A worker is at work.")
    else:
        yield Line("processes", Mark.FAIL, "No worker is at work.", "Start the process “worker” of the Procfile.")
    age = Heartbeat.age()
    if age is None or age > HEARTBEAT_LIMIT:
        since = "yet" if age is None else f"for {age.total_seconds():.0f} s"
        yield Line(
            "processes",
            Mark.FAIL,
            f"Scheduler, Redis and worker have not worked together {since}.",
            "Where they were started just now, ask again in a minute. Where both have been at work for longer, they use "
            "another Redis, or other REDIS_BROKER_DB, than each other.",
        )


def files() -> Findings:
    """Written, read and taken away again, where uploads are."""
    content = uuid4().hex.encode()
    try:
        name = default_storage.save("doctor/try.txt", ContentFile(content))
        with default_storage.open(name) as stored:
            same = stored.read() == content
        default_storage.delete(name)
    except OSError as error:
        yield Line(
            "files", Mark.FAIL, f"No file can be kept: {first_line(error)}", "Look at MEDIA_ROOT or MEDIA_STORAGE_URL."
        )
        return
    if same:
        yield Line("files", Mark.OK, "A file was written, read and removed.")
    else:
        yield Line("files", Mark.FAIL, "What was written came back different.", "Look at the disk or the bucket.")
    if isinstance(default_storage, FileSystemStorage):
        yield disk(Path(settings.MEDIA_ROOT))


def disk(folder: Path) -> Line:
    free = shutil.disk_usage(folder).free
    mark = Mark.FAIL if free < DISK_FAIL else Mark.WARN if free < DISK_WARN else Mark.OK
    advice = "" if mark is Mark.OK else "Make room, or move MEDIA_ROOT: a full disk stops uploads and pictures."
    return Line("files", mark, f"{free / 1024**3:.1f} GB are free where uploads are kept.", advice)


def mail() -> Findings:
    if "smtp" not in settings.EMAIL_BACKEND:
        mark = Mark.OK if settings.DEBUG else Mark.WARN
        yield Line(
            "mail",
            mark,
            "E-mail does not leave this machine.",
            "" if settings.DEBUG else "Set EMAIL_URL to a mail server.",
        )
        return
    mailer = get_connection()
    try:
        mailer.open()
        mailer.close()
    except (OSError, smtplib.SMTPException) as error:
        yield Line("mail", Mark.FAIL, f"The mail server takes nothing: {first_line(error)}", "Look at EMAIL_URL.")
    else:
        yield Line("mail", Mark.OK, f"{settings.EMAIL_HOST} takes mail.")
    if settings.DEFAULT_FROM_EMAIL.rstrip(">").endswith("@localhost"):
        yield Line(
            "mail",
            Mark.WARN,
            "Mail is sent from an address at localhost; others will not take it.",
            "Set DEFAULT_FROM_EMAIL.",
        )


def queue() -> Findings:
    late = QueueEntry.objects.filter(
        held=False, lease_until__isnull=True, not_before__lt=timezone.now() - OVERDUE
    ).count()
    if late:
        yield Line(
            "queue",
            Mark.WARN,
            f"{late} publications have been due for more than five minutes.",
            "Look whether workers are at work; start more of them if they have too much to do.",
        )
    else:
        yield Line("queue", Mark.OK, "Nothing is overdue.")


def notices() -> Findings:
    for notice in OperatorNotice.objects.filter(resolved_at=None):
        yield Line("notices", Mark.WARN, notice.title, notice.body)


# --- The world outside ----------------------------------------------------------------------------------------


def public_address() -> Findings:
    address, parts = settings.PUBLIC_BASE_URL, urlsplit(settings.PUBLIC_BASE_URL)
    host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = sorted({str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)})
    except OSError as error:
        yield Line("address", Mark.FAIL, f"{host} is not known: {first_line(error)}", "Make a DNS entry for it.")
        return
    private = [one for one in found if not is_public(one)]
    if settings.SANDBOX:
        yield Line("address", Mark.OK, f"{address}; the simulated networks need no more.")
    elif private or not is_reachable(address):
        yield Line(
            "address",
            Mark.FAIL,
            f"{host} leads to {', '.join(private or found)}, where no network can reach it.",
            "PUBLIC_BASE_URL has to be an address on the internet: the networks fetch pictures from it.",
        )
    else:
        yield Line("address", Mark.OK, f"{host} leads to {', '.join(found)}.")
    if parts.scheme == "https":
        secured = certificate(host, port)
        yield secured
        if secured.mark is Mark.FAIL:
            return  # asking for a page would only say the same again
    elif not settings.SANDBOX:
        yield Line("address", Mark.FAIL, "It has no TLS.", "Networks accept https only; put a proxy with TLS in front.")
    yield answers(f"{address}/healthz")


def certificate(host: str, port: int) -> Line:
    advice = "Renew the certificate, and see why that did not happen by itself."
    try:
        with (
            socket.create_connection((host, port), timeout=NETWORK_SECONDS) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secured,
        ):
            told: Any = secured.getpeercert()
    except ssl.SSLError as error:
        return Line(
            "address",
            Mark.FAIL,
            f"Its certificate is not accepted: {first_line(error)}",
            "The proxy needs one for this host name, not run out, from an authority that everybody knows, and with its whole "
            "chain (fullchain.pem).",
        )
    except OSError as error:
        return unreached(f"{host}:{port}", error)
    end = datetime.fromtimestamp(ssl.cert_time_to_seconds(told["notAfter"]), UTC)
    left = (end - timezone.now()).days
    if left < CERTIFICATE_DAYS:
        return Line("address", Mark.WARN, f"Its certificate ends in {left} days, on {end:%Y-%m-%d}.", advice)
    return Line("address", Mark.OK, f"Its certificate is good until {end:%Y-%m-%d}.")


def unreached(what: str, error: BaseException) -> Line:
    return Line(
        "address",
        Mark.FAIL,
        f"{what} does not answer this machine: {first_line(error)}",
        "Start web, and look at proxy and firewall. Where only this machine cannot reach its own address from inside, try "
        "the address from elsewhere.",
    )


def fetched(url: str) -> requests.Response:
    """As a network fetches a picture: it follows no redirect."""
    return requests.get(url, headers=AS_A_NETWORK, timeout=NETWORK_SECONDS, allow_redirects=False)


def answers(url: str) -> Line:
    try:
        answer = fetched(url)
    except requests.RequestException as error:
        return unreached("The public address", error)
    if answer.status_code != 200:
        return Line(
            "address",
            Mark.FAIL,
            f"/healthz answers {answer.status_code} instead of 200.",
            "PUBLIC_BASE_URL has to lead to this installation directly, for every visitor, with no redirect.",
        )
    return Line("address", Mark.OK, "This installation answers there.")


def media_by_address() -> Findings:
    """What decides whether a post with a picture goes out: a signed address, fetched as a network does."""
    made = some_file()
    if made is None:
        yield Line("media", Mark.OK, "Nothing was uploaded yet that could be tried.")
        return
    try:
        answer = fetched(public_url(made))
    except requests.RequestException as error:
        yield Line("media", Mark.FAIL, f"A file could not be fetched: {first_line(error)}", "See “address”.")
        return
    kind = answer.headers.get("Content-Type", "")
    if answer.status_code == 200 and len(answer.content) == made.size_bytes and kind == made.content_type:
        yield Line("media", Mark.OK, "A file came back by its signed address as networks fetch it.")
    else:
        yield Line(
            "media",
            Mark.FAIL,
            f"A signed address answers {answer.status_code} with {len(answer.content)} bytes of {kind or 'nothing'}, "
            f"instead of {made.size_bytes} of {made.content_type}.",
            "Look at proxy, firewall and protection against bots. Web and worker need the same files and SECRET_KEY.",
        )


def some_file() -> Rendition | MediaFile | None:
    if (made := Rendition.objects.order_by("-pk").first()) and default_storage.exists(str(made.file.name)):
        return made
    image = MediaFile.objects.filter(kind=MediaKind.IMAGE).order_by("-created_at").first()
    try:
        return rendition(image, IMAGE["facebook"]) if image else None
    except PlatformError:
        return None


def networks() -> Findings:
    """Our apps there, and whether they take what is set here."""
    marks = {State.OK: Mark.OK, State.FACT: Mark.OK, State.WARNING: Mark.WARN, State.PROBLEM: Mark.FAIL}
    configured = [provider for provider in PROVIDERS.values() if provider.is_configured()]
    if not configured:
        yield Line(
            "networks",
            Mark.WARN,
            "No network is set up: nothing can be connected.",
            "Set META_APP_ID, LINKEDIN_CLIENT_ID or BUFFER_CLIENT_ID and their secrets.",
        )
    for provider in configured:
        for check in provider.app_checks(live=True):
            if check.state is not State.FACT:
                told = redact(f"{provider.label}, {check.label}: {check.text}")
                yield Line("networks", marks[check.state], told, "" if check.state is State.OK else AT_THE_NETWORK)


def clock() -> Findings:
    """Signatures and sign-ins at the networks end by their clocks, and posts go out by ours."""
    if settings.SANDBOX:
        return
    try:
        answer = requests.head(settings.META_GRAPH_URL, timeout=NETWORK_SECONDS, allow_redirects=False)
        told = parsedate_to_datetime(answer.headers["Date"])
    except (requests.RequestException, KeyError, ValueError) as error:
        yield Line(
            "clock", Mark.WARN, f"No network told its time: {first_line(error)}", "Look at the way out to the internet."
        )
        return
    yield skew_line("The networks' clock", max(abs((timezone.now() - told).total_seconds()) - 1, 0))
