"""Tokens, keys and the apps' secrets after a whole day with all networks: nowhere in clear."""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import cache as cache_results
from typing import Any
from urllib.parse import urlsplit

import pytest
from celery import current_app
from django.conf import settings
from django.contrib import admin
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from redis import Redis

from accounts.connection_cache import key_of
from accounts.models import ConnectedAccount, Credential, Grant, Notification, OAuthTicket, User, Workspace
from accounts.providers import INSTAGRAM, META
from accounts.providers.base import Consent
from accounts.renew import usable_token
from accounts.tokens import access_for
from accounts.verify import verify_one
from analytics import sync
from analytics.models import PlatformPost
from publishing.models import Attempt, Post, Publication, QueueEntry, Status
from publishing.nudges import send_nudge
from socialhub.platforms.base import Tokens
from socialhub.platforms.errors import PlatformError
from socialhub.platforms.meta import Person, UserToken
from tests.publishing.conftest import run_due
from tests.publishing.pictures import photo
from tests.publishing.test_composer import typed
from tests.sandbox_process import Sandbox, sandbox, sandbox_process
from tests.stage import wait_until

__all__ = ["sandbox", "sandbox_process"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


class Day:
    """Everything a person does with two accounts, and the secrets that came along."""

    def __init__(self, sandbox: Sandbox, client: Client, workspace: Workspace) -> None:
        self.sandbox, self.client, self.workspace = sandbox, client, workspace
        self.secrets: set[str] = {settings.META_APP_SECRET, settings.SECRET_KEY, *settings.FERNET_KEYS}
        self.secrets |= {settings.INSTAGRAM_APP_SECRET, settings.LINKEDIN_CLIENT_SECRET, settings.BUFFER_CLIENT_SECRET}
        self.pages: list[str] = []

    def note(self, *secrets: str) -> None:
        self.secrets |= {secret for secret in secrets if secret}
        self.secrets |= {self.sandbox.proof(secret) for secret in secrets if secret.startswith("EAA")}

    def note_stored(self) -> None:
        kept = [
            *Credential.objects.values_list("access_token", flat=True),
            *Grant.objects.values_list("access_token", flat=True),
            *Grant.objects.values_list("refresh_token", flat=True),
        ]
        self.note(*(secret.reveal() for secret in kept if secret is not None))

    def see(self, response: Any) -> Any:
        self.pages.append(f"{response.headers}\n{b''.join(response).decode(errors='replace')}")
        return response

    def post(self, name: str, *args: object, **data: Any) -> Any:
        return self.see(self.client.post(reverse(name, args=args), data))

    def connect(self, person: str = "gina") -> None:
        dialog = self.post("accounts:connect", "facebook")["Location"]
        back = urlsplit(self.sandbox.consent(dialog, person))
        self.note(re.findall(r"code=([^&#]+)", back.query)[0])
        chosen = self.see(self.client.get(f"{back.path}?{back.query}"))["Location"]
        choice = self.see(self.client.get(chosen)).content.decode()
        pages = re.findall(r'name="account"\s+value="([a-z]+:\d+)"', choice)
        assert pages, choice
        self.see(self.client.post(chosen, {"account": pages}))
        self.note_stored()

    def connect_instagram(self, person: str) -> None:
        """By its own login: code and tokens take other ways there, some of them in addresses."""
        dialog = self.post("accounts:connect", "instagram_login")["Location"]
        back = urlsplit(self.sandbox.instagram_consent(dialog, person))
        self.note(re.findall(r"code=([^&#]+)", back.query)[0])
        chosen = self.see(self.client.get(f"{back.path}?{back.query}"))["Location"]
        self.see(self.client.post(chosen, {"account": f"instagram:{self.sandbox.instagram(person).account_id}"}))
        self.note_stored()

    def consent(self, platform: str, agree: Callable[[str, str], str], person: str) -> None:
        """Press Connect, consent as this person, choose everything that can be connected."""
        back = urlsplit(agree(self.post("accounts:connect", platform)["Location"], person))
        self.note(re.findall(r"code=([^&#]+)", back.query)[0])
        self.choose(self.see(self.client.get(f"{back.path}?{back.query}"))["Location"])

    def choose(self, address: str) -> None:
        self.note_stored()
        candidates = [row["candidate"] for row in self.see(self.client.get(address)).context["rows"]]
        found = [candidate.key for candidate in candidates if not candidate.obstacle]
        chosen = self.see(self.client.post(address, {"account": found}))
        assert chosen.status_code == 302, chosen.content.decode()
        self.note_stored()

    def renew(self, provider: str) -> None:
        """The access of these grants runs out, and the next who needs it renews it."""
        for grant in Grant.objects.filter(provider=provider):
            Grant.objects.filter(pk=grant.pk).update(expires_at=timezone.now() + timedelta(minutes=2))
            usable_token(Grant.objects.get(pk=grant.pk))
        self.note_stored()

    def publish(self, *accounts: ConnectedAccount, **fields: Any) -> Post:
        response = self.see(self.client.post(reverse("publishing:post_new"), typed(*accounts, **fields)))
        assert response.status_code == 302, response.content
        return Post.objects.latest("created_at")

    def work(self, seconds: float = 30, *, hurry: bool = False) -> None:
        """Let the engine run until nothing is due any more. hurry: nobody waits for the clock."""

        def once() -> bool:
            if hurry:
                QueueEntry.objects.update(not_before=timezone.now())
            run_due()
            return not QueueEntry.objects.filter(held=False).exists()

        assert wait_until(once, seconds), list(QueueEntry.objects.values())


@pytest.fixture
def day(
    sandbox: Sandbox,
    live_server: Any,
    signed_in: Client,
    owner: User,
    workspace: Workspace,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Day:
    cache.clear()
    for name, value in {**sandbox.settings, "PUBLIC_BASE_URL": live_server.url, "PUBLISH_CHECK_SPEED": 60}.items():
        setattr(settings, name, value)
    settings.HTTP_READ_TIMEOUT_SECONDS = 2
    caplog.set_level(logging.DEBUG)
    day = Day(sandbox, signed_in, workspace)

    def spy(token: UserToken, person: Person) -> Consent:
        day.note(token.token)  # the short-lived one, which is kept nowhere
        return consent(token, person)

    def spy_instagram(token: Tokens, person: Person) -> Consent:
        day.note(token.access_token)
        return consent_at_instagram(token, person)

    consent, consent_at_instagram = META.consent, INSTAGRAM.consent
    monkeypatch.setattr(META, "consent", spy)
    monkeypatch.setattr(INSTAGRAM, "consent", spy_instagram)
    live_through(day)
    return day


def live_through(day: Day) -> None:
    sandbox, accounts = day.sandbox, ConnectedAccount.objects
    day.connect()
    facebook = accounts.filter(platform="facebook").earliest("name")
    instagram = accounts.filter(platform="instagram").earliest("name")
    day.publish(facebook, caption="Only words")
    day.publish(facebook, instagram, caption="Two pictures", upload=[photo(600, 600), photo(640, 640, name="b.jpg")])
    day.work()
    assert set(Publication.objects.values_list("status", flat=True)) == {Status.PUBLISHED}

    sandbox.fault("lost_answer", edge="feed")
    day.publish(facebook, caption="The answer gets lost")
    day.work()
    day.post("accounts:verify", facebook.pk)
    day.post("accounts:recheck", facebook.pk)
    day.post("analytics:account_sync", facebook.pk)
    sync.sync(facebook.pk, full=True)
    sync.sync(instagram.pk, full=True)

    sandbox.revoke("gina", 460)
    day.publish(facebook, caption="The password was changed")
    run_due()
    verify_one(facebook.pk)
    verify_one(instagram.pk)
    facebook.refresh_from_db()
    assert facebook.needs_reconnect
    assert Notification.objects.filter(kind=Notification.Kind.RECONNECT).exists()
    day.post("accounts:verify", facebook.pk)
    day.connect()
    assert not ConnectedAccount.objects.exclude(status="connected").exists()
    day.work()
    live_through_instagram(day)
    live_with_linkedin(day)
    live_with_buffer(day)
    send_nudge()


def live_with_linkedin(day: Day) -> None:
    sandbox, rows = day.sandbox, ConnectedAccount.objects.filter(platform="linkedin")
    sandbox.linkedin_app(refresh_tokens=True)
    day.consent("linkedin", sandbox.linkedin_consent, "lena")
    first, second = rows.order_by("account_type", "name")[:2]
    day.publish(first, second, caption="To both")
    day.work()
    sandbox.fault("token_revoked", edge="linkedin.posts")
    day.publish(first, caption="Refused, renewed and sent")
    day.work()
    assert Publication.objects.get(post__caption="Refused, renewed and sent").status == Status.PUBLISHED
    day.note_stored()
    day.renew("linkedin")
    use_all(day, first, second)
    sandbox.switch("linkedin", "lena", "revoke")
    use_all(day, first, second)
    first.refresh_from_db()
    assert first.needs_reconnect
    day.consent("linkedin", sandbox.linkedin_consent, "lena")
    for account in rows:
        day.post("accounts:disconnect", account.pk)


def live_with_buffer(day: Day) -> None:
    sandbox, rows = day.sandbox, ConnectedAccount.objects.filter(login_kind="buffer").listed()
    day.consent("x", sandbox.buffer_consent, "bruno")
    x, bluesky = rows.get(platform="x"), rows.filter(platform="bluesky").earliest("name")
    day.publish(x, bluesky, caption="To both through Buffer")
    day.work(hurry=True)
    held = Grant.objects.get(provider="buffer").access_token.reveal()
    sandbox.fault(
        "publish_error", edge="buffer.createPost", detail=f"The Authorization: Bearer {held} was refused: {held}"
    )
    day.publish(x, caption="The network repeats what we sent")
    day.work(hurry=True)
    assert Publication.objects.get(post__caption="The network repeats what we sent").platform_message
    day.renew("buffer")
    use_all(day, x, bluesky)
    sandbox.switch("buffer", "bruno", "lose_refresh_answer")
    day.renew("buffer")
    sandbox.switch("buffer", "bruno", "revoke")
    day.publish(x, caption="Withdrawn at Buffer")
    run_due()
    use_all(day, x, bluesky)
    x.refresh_from_db()
    assert x.needs_reconnect
    day.consent("x", sandbox.buffer_consent, "bruno")
    for account in rows:
        day.post("accounts:disconnect", account.pk)

    wrong = "no-key-of-buffer-" + "k" * 30
    key = sandbox.buffer("freya").key
    day.note(wrong, key)
    assert day.post("accounts:buffer_key", key=wrong).status_code == 422
    day.choose(day.post("accounts:buffer_key", key=key)["Location"])
    mastodon = rows.get(platform="mastodon")
    use_all(day, mastodon)
    day.publish(mastodon, caption="With a key")
    day.work(hurry=True)


def use_all(day: Day, *accounts: ConnectedAccount) -> None:
    """What pages and jobs do with an account without being told to publish."""
    for account in accounts:
        day.post("accounts:verify", account.pk)
        day.post("accounts:recheck", account.pk)
        day.post("analytics:account_sync", account.pk)
        sync.sync(account.pk, full=True)
        verify_one(account.pk)
        cache.delete(key_of(account.pk))  # as it is a minute after the last change
        with suppress(PlatformError):
            access_for(ConnectedAccount.objects.get(pk=account.pk))  # and so into the cache
    day.see(day.client.get(reverse("accounts:social")))
    day.see(day.client.get(reverse("accounts:doctor")))


def live_through_instagram(day: Day) -> None:
    day.connect_instagram("ines.ink")
    account = ConnectedAccount.objects.get(login_kind="instagram_login")
    day.publish(account, caption="Without a Page", upload=[photo(600, 600)])
    day.work()
    sync.sync(account.pk, full=True)
    grant = Grant.objects.get(provider="instagram_login")
    now = timezone.now()
    for fault in (None, "error_before", "lost_answer"):
        day.sandbox.switch("instagram", "ines.ink", "age")
        Grant.objects.filter(pk=grant.pk).update(
            expires_at=now + timedelta(days=14), issued_at=now - timedelta(days=46), updated_at=now
        )
        if fault:
            day.sandbox.fault(fault, edge="instagram.refresh")
        verify_one(account.pk)
        day.note_stored()
    day.sandbox.switch("instagram", "ines.ink", "revoke")
    verify_one(account.pk)
    day.connect_instagram("ines.ink")
    assert day.sandbox.calls()["GET instagram.refresh"] == 3


@cache_results
def shapes(secret: str) -> set[bytes]:
    """The secret as it would look in text, in a dumped binary column and in base 64."""
    plain = secret.encode()
    return {plain, plain.hex().encode(), base64.b64encode(plain).rstrip(b"=")[:-1], json.dumps(secret)[1:-1].encode()}


def held_by(day: Day, content: str | bytes) -> list[str]:
    """The beginnings of the secrets that stand in it."""
    content = content.encode() if isinstance(content, str) else content
    return [secret[:6] for secret in day.secrets if any(shape in content for shape in shapes(secret))]


Found = Iterable[tuple[str, str | bytes]]


def test_no_secret_lies_open_anywhere(day: Day, owner: User, caplog: pytest.LogCaptureFixture) -> None:
    # The day was as long as it should be, otherwise an empty search would please everybody.
    assert len([secret for secret in day.secrets if secret.startswith("EAA")]) >= 5
    assert len([secret for secret in day.secrets if secret.startswith("IGAA")]) >= 5
    assert len(day.secrets) >= 40
    assert Attempt.objects.exclude(outcome="published").exists()
    assert PlatformPost.objects.exists()
    assert OAuthTicket.objects.values("provider").distinct().count() == 4
    assert any("connection:" in name and b"access_token" in value for name, value in redis_values())
    records = caplog.get_records("setup")
    places: dict[str, tuple[int, Callable[[], Found]]] = {
        "a row": (200, database_rows),
        "a session": (1, sessions),
        "Redis": (5, redis_values),
        "a mail": (3, lambda: ((message.subject, message.message().as_bytes()) for message in mail.outbox)),
        "a log line": (100, lambda: logged(records)),
        "an answer on the way": (60, lambda: (("", page) for page in day.pages)),
        "a page": (25, lambda: crawled(day.client, "/")),
        "dumpdata": (1, lambda: [("", dumped())]),
        "a page of the admin": (40, lambda: admin_pages(day.client, owner)),
    }
    for place, (least, look) in places.items():
        seen = 0
        for name, content in look():
            seen += 1
            assert not held_by(day, content), f"{place} {name}"
        assert seen >= least, (place, seen)

    # And the search has eyes: what is planted in each place is found there.
    planted = "planted-token-" + "p" * 30
    day.secrets = {planted}
    plant(day, planted, records)
    for place, (_least, look) in places.items():
        assert any(held_by(day, content) for _name, content in look()), place
    for message in redis_values():
        if b"planted.task" in message[1] and held_by(day, message[1]):
            break
    else:
        raise AssertionError("a message to a worker was not searched")


def plant(day: Day, secret: str, records: list[logging.LogRecord]) -> None:
    Notification.objects.create(workspace=day.workspace, kind=Notification.Kind.QUOTA, incident="x", title=secret)
    session = day.client.session
    session["planted"] = secret
    session.save()
    cache.set("planted", secret)
    current_app.send_task("planted.task", [secret])
    mail.outbox.append(mail.EmailMessage("Planted", secret, "a@example.com", ["b@example.com"]))
    records.append(logging.makeLogRecord({"name": "planted", "msg": "with %s", "args": (secret,)}))
    day.pages.append(secret)


def logged(records: list[logging.LogRecord]) -> Iterator[tuple[str, str]]:
    """As they were logged, before our own formatter takes anything out, with their tracebacks."""
    assert any(record.name.startswith("urllib3") for record in records)
    formatter = logging.Formatter("%(name)s %(message)s")
    for record in records:
        yield record.name, formatter.format(record)


def sessions() -> Iterator[tuple[str, str]]:
    for session in Session.objects.all():
        yield session.session_key, repr(session.get_decoded())


def database_rows() -> Iterator[tuple[str, str]]:
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT row_to_json(t)::text FROM {connection.ops.quote_name(table)} t")  # noqa: S608
            for (row,) in cursor.fetchall():
                yield table, row


def redis_values() -> Iterator[tuple[str, bytes]]:
    """Every value of the broker and of the cache, with the bodies of messages opened."""
    for address in (settings.CELERY_BROKER_URL, settings.CACHES["default"]["LOCATION"]):
        with Redis.from_url(socket_address(address)) as redis:
            for key in redis.scan_iter():
                for value in values_of(redis, key):
                    yield str(key), value
                    yield from ((str(key), inner) for inner in bodies(value))


def socket_address(address: str) -> str:
    """Celery's way to name a socket, in the words of redis-py."""
    if not address.startswith("redis+socket://"):
        return address
    return address.replace("redis+socket://", "unix://").replace("virtual_host=", "db=")


def values_of(redis: Any, key: bytes) -> list[bytes]:
    kind = redis.type(key)
    if kind == b"string":
        return [redis.get(key)]
    if kind == b"list":
        return list(redis.lrange(key, 0, -1))
    if kind == b"hash":
        return [part for pair in redis.hgetall(key).items() for part in pair]
    if kind == b"zset":
        return list(redis.zrange(key, 0, -1))
    assert kind == b"set", kind
    return list(redis.smembers(key))


def bodies(value: bytes) -> Iterator[bytes]:
    try:
        message = json.loads(value)
        yield base64.b64decode(message["body"])
    except (ValueError, KeyError, TypeError):
        return


def crawled(client: Client, start: str) -> Iterator[tuple[str, str]]:
    """Every page that can be reached by links, and the fragments that pages ask for."""
    waiting, known = [start], {start}
    while waiting:
        address = waiting.pop()
        response = client.get(address)
        if response.streaming:
            b"".join(response)
            response.close()
            continue
        if response.status_code in (301, 302):
            found = [response["Location"]]
        else:
            assert response.status_code in (200, 404), address
            content = response.content.decode()
            yield address, f"{response.headers}\n{content}"
            found = re.findall(r'(?:href|hx-get)="([^"#]+)', content)
        for link in found:
            link = link.replace("&amp;", "&")
            link = address.partition("?")[0] + link if link.startswith("?") else link
            kind = re.sub(r"=[^&]*", "", link)  # a page that counts in its address is one page
            if link.startswith("/") and not link.startswith(("//", "/static/")) and kind not in known:
                known.add(kind)
                waiting.append(link)


def admin_pages(client: Client, owner: User) -> Iterator[tuple[str, bytes]]:
    """With rights for this alone: who has them is led by links through the whole admin, one list after the other."""
    owner.is_staff = owner.is_superuser = True
    owner.save()
    try:
        for address in admin_addresses():
            response = client.get(address)
            assert response.status_code == 200, address
            yield address, response.content
    finally:
        owner.is_staff = owner.is_superuser = False
        owner.save()


def admin_addresses() -> Iterator[str]:
    """Every list of the admin, and the pages of the first rows of each."""
    yield reverse("admin:index")
    for model in admin.site._registry:
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{base}_changelist")
        for row in model._default_manager.all()[:3]:
            yield reverse(f"{base}_change", args=[row.pk])
            yield reverse(f"{base}_history", args=[row.pk])


def dumped() -> str:
    out: list[str] = []

    class Out:
        def write(self, text: str) -> None:
            out.append(text)

    call_command("dumpdata", "accounts", "publishing", "analytics", stdout=Out())
    return "".join(out)
