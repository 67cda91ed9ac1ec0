"""The simulated networks as a real process, for tests that talk to them over HTTP.

pytest_plugins = ["tests.sandbox_process"]   # in a conftest.py at the top, or import the fixture `sandbox`

def test_something(sandbox):
    gina = sandbox.person("gina")                  # tokens without the dialog
    sandbox.fault("lost_answer", edge="feed")      # for the next call to that edge
    ...
    assert len(sandbox.feed(gina.page.id)) == 1
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

APP_ID = "100000000000001"
APP_SECRET = "sandbox-app-secret"
VERSION = "v26.0"
INSTAGRAM_APP_ID = "200000000000002"
INSTAGRAM_APP_SECRET = "sandbox-instagram-secret"
LINKEDIN_CLIENT_ID = "sandbox-linkedin"
LINKEDIN_CLIENT_SECRET = "sandbox-linkedin-secret"
LINKEDIN_VERSION = "202609"
BUFFER_CLIENT_ID = "sandbox-buffer"
BUFFER_CLIENT_SECRET = "sandbox-buffer-secret"
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class GrantedPage:
    id: str
    name: str
    username: str
    access_token: str | None = field(repr=False)
    tasks: list[str]
    instagram_id: str | None
    instagram_username: str | None


@dataclass(frozen=True)
class GrantedPerson:
    person_id: str
    person: str
    name: str
    user_token: str = field(repr=False)
    expires_at: float
    pages: list[GrantedPage]

    @property
    def page(self) -> GrantedPage:
        return self.pages[0]


@dataclass(frozen=True)
class GrantedInstagram:
    """An Instagram account with a token of its own login. scoped_id: the number that only the app knows it by."""

    account_id: str
    scoped_id: str
    username: str
    access_token: str = field(repr=False)
    expires_at: float
    scopes: list[str]


@dataclass(frozen=True)
class GrantedMember:
    """A LinkedIn member with tokens. organizations: id, urn, name, vanity_name, role."""

    person_id: str
    person: str
    name: str
    urn: str
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: float
    scopes: list[str]
    organizations: list[dict[str, Any]]


@dataclass(frozen=True)
class GrantedBuffer:
    """A Buffer account with a key and tokens. channels: id, organization_id, service, name, boards, the three flags."""

    person_id: str
    person: str
    name: str
    key: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    scopes: list[str]
    organizations: list[dict[str, str]]
    channels: list[dict[str, Any]]

    def channel(self, service: str) -> str:
        """The id of the first channel of that service."""
        return next(one["id"] for one in self.channels if one["service"] == service)


class Sandbox:
    """A running sandbox. `url` is its base address; the Graph API is at `graph_url`."""

    app_id = APP_ID
    app_secret = APP_SECRET

    def __init__(self, url: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.url = url
        self.process = process
        self.log = log
        self.session = requests.Session()
        self.session.trust_env = False

    @property
    def settings(self) -> dict[str, str]:
        """The product's settings (and environment variables) that point it here."""
        return {
            "SANDBOX_URL": self.url,
            "META_DIALOG_URL": f"{self.url}/facebook",
            "META_GRAPH_URL": f"{self.url}/graph",
            "META_RUPLOAD_URL": f"{self.url}/rupload",
            "META_APP_ID": APP_ID,
            "META_APP_SECRET": APP_SECRET,
            "META_GRAPH_VERSION": VERSION,
            "INSTAGRAM_DIALOG_URL": f"{self.url}/instagram/dialog",
            "INSTAGRAM_API_URL": f"{self.url}/instagram/api",
            "INSTAGRAM_GRAPH_URL": f"{self.url}/instagram/graph",
            "INSTAGRAM_APP_ID": INSTAGRAM_APP_ID,
            "INSTAGRAM_APP_SECRET": INSTAGRAM_APP_SECRET,
            "LINKEDIN_OAUTH_URL": f"{self.url}/linkedin/oauth",
            "LINKEDIN_API_URL": f"{self.url}/linkedin/api",
            "LINKEDIN_API_VERSION": LINKEDIN_VERSION,
            "LINKEDIN_CLIENT_ID": LINKEDIN_CLIENT_ID,
            "LINKEDIN_CLIENT_SECRET": LINKEDIN_CLIENT_SECRET,
            "BUFFER_API_URL": f"{self.url}/buffer/api",
            "BUFFER_AUTH_URL": f"{self.url}/buffer/auth",
            "BUFFER_CLIENT_ID": BUFFER_CLIENT_ID,
            "BUFFER_CLIENT_SECRET": BUFFER_CLIENT_SECRET,
        }

    @property
    def graph_url(self) -> str:
        return f"{self.url}/graph"

    # Control

    def control(self, method: str, path: str, **values: Any) -> dict[str, Any]:
        response = self.session.request(method, f"{self.url}/control/{path}", json=values or None, timeout=30)
        response.raise_for_status()
        return response.json()

    def reset(self) -> None:
        """The first day again: only the standing people, nothing published, no faults, real time."""
        self.control("POST", "reset")

    def fault(
        self, kind: str, *, edge: str = "any", account: str = "all", count: int | None = 1, **more: Any
    ) -> dict[str, Any]:
        """kind: lost_answer, error_before, error_after, rate_limited (minutes=), token_revoked (subcode=), slow (seconds=),
        rejected_image, duplicate. edge: feed, photos, media, media_publish, insights, published_posts, accounts, node (one
        object: a post, a container), oauth, any; or with its method, "POST media". count None: until switched off.

        Instagram's own login: edge instagram.token, .exchange, .refresh; all else are the edges above, on either host.

        LinkedIn: edge linkedin (all) or linkedin.posts, .images, .dms-uploads, .userinfo, .organizationAcls, .token, …; also
        token_expired, permission_lost, version_retired, no_id. Buffer: edge buffer (all) or buffer.createPost, .posts,
        .post, .channels, .token, …; also token_expired, permission_lost, typed_error (detail= the type), publish_error
        (detail= the message), no_link. account: an id of Meta's, of a member or organization, of a channel."""
        return self.control("POST", "faults", kind=kind, edge=edge, account=account, count=count, **more)

    def no_faults(self) -> None:
        self.control("DELETE", "faults")

    def feed(self, account_id: str) -> list[dict[str, Any]]:
        """The posts of a Page or Instagram account, oldest first: id, message, link, media (how many), created."""
        response = self.session.get(f"{self.url}/control/feed", params={"account": account_id}, timeout=30)
        response.raise_for_status()
        return response.json()["posts"]

    def calls(self) -> dict[str, int]:
        """How often each edge was called since the last reset: {"POST feed": 1, "GET node": 4}."""
        return self.control("GET", "calls")["calls"]

    def call_log(self) -> list[dict[str, Any]]:
        """The newest 500 calls: at, method, path, edge, account, status (0: no answer), code, subcode, params."""
        return self.control("GET", "calls")["log"]

    def advance(self, seconds: float) -> None:
        """Let time pass in the sandbox: tokens run out, figures grow, containers expire."""
        self.control("POST", "clock", advance_seconds=seconds)

    def set_clock(self, at: float) -> None:
        """Its clock goes on from this Unix time, earlier or later."""
        self.control("POST", "clock", at=at)

    def withdraw(self, metric: str, how: str = "dead", account: str = "all") -> None:
        """A name that a network refuses from now on ("dead"), or leaves out of its answers ("withheld")."""
        self.control("POST", "metrics", name=metric, how=how, account=account)

    def give_back(self) -> None:
        """All metrics as before."""
        self.control("DELETE", "metrics")

    def latency(self, ms: float) -> None:
        self.control("POST", "latency", ms=ms)

    def link_instagram(self, page_id: str, **more: Any) -> str:
        return self.control("POST", "link-instagram", page_id=page_id, **more)["instagram_id"]

    def person(self, person: str | None = None, **values: Any) -> GrantedPerson:
        """Tokens without the dialog: a standing person ("gina", "paul", "alex"), or a new one with pages=N,
        instagram=True, followers=[…]; scopes=[…] and seconds= narrow the token; elsewhere=N posts on each account that
        socialhub did not make."""
        if person:
            values["person"] = person
        granted = self.control("POST", "people", **values)
        granted["pages"] = [GrantedPage(**page) for page in granted["pages"]]
        return GrantedPerson(**granted)

    def switch(self, network: str, person: str, action: str, scope: str = "") -> int:
        """action: expire, revoke, remove_permission (scope=), lose_refresh_answer, on Instagram also age (46 days);
        network: meta, instagram (its own login), linkedin, buffer.
        Answers how many tokens were touched."""
        values = {"network": network, "person": person, "action": action, "scope": scope}
        return self.control("POST", "grants", **values)["tokens"]

    # Instagram's own login

    def instagram(self, person: str = "ines.ink", **values: Any) -> GrantedInstagram:
        """A long-lived token without the page: "ines.ink" (no Page), "petra.private" (personal), "camarogarage" (linked);
        scopes=[…], seconds=, age_seconds=."""
        return GrantedInstagram(**self.control("POST", "instagram/people", person=person, **values))

    def instagram_account(self, person: str, account_type: str) -> None:
        """The owner switches to BUSINESS, MEDIA_CREATOR or PERSONAL."""
        self.control("POST", "instagram/account", person=person, account_type=account_type)

    def instagram_consent(
        self, address: str, person: str = "ines.ink", *, declined: tuple[str, ...] = (), cancel: bool = False
    ) -> str:
        """Answer Instagram's consent page; returns the address it sends the browser back to."""
        target, _, query = address.partition("?")
        values: dict[str, Any] = {name: found[-1] for name, found in parse_qs(query).items()}
        screen = self.session.get(target, params={**values, "person": person}, allow_redirects=False, timeout=30)
        screen.raise_for_status()
        scopes = [scope for scope in values.get("scope", "").split(",") if scope not in declined]
        form = {**values, "person": person, "scopes": scopes, "cancel" if cancel else "allow": "1"}
        answer = self.session.post(target, data=form, allow_redirects=False, timeout=30)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    # LinkedIn

    def member(self, person: str | None = None, **values: Any) -> GrantedMember:
        """Tokens without the page: "lena", "mika", "olga", or a new member with organizations=N; scopes=[…], seconds=."""
        if person:
            values["person"] = person
        return GrantedMember(**self.control("POST", "linkedin/people", **values))

    def linkedin_app(self, **values: Any) -> dict[str, Any]:
        """mode="full" or "member", refresh_tokens=True, member_limit=, app_limit= (calls per endpoint and UTC day)."""
        return self.control("POST", "linkedin/app", **values)

    def linkedin_role(self, person: str, organization: str, role: str) -> None:
        """Another role of a member on an organization; "" takes it away."""
        self.control("POST", "linkedin/role", person=person, organization=organization, role=role)

    def linkedin_address(self, scope: str, redirect_uri: str = "http://127.0.0.1:9/back", **params: str) -> str:
        values = {"response_type": "code", "client_id": LINKEDIN_CLIENT_ID, "redirect_uri": redirect_uri, "state": "s"}
        return f"{self.url}/linkedin/oauth/authorization?{urlencode({**values, 'scope': scope, **params})}"

    def linkedin_consent(self, address: str, person: str = "lena", *, cancel: bool = False) -> str:
        """Answer LinkedIn's consent page; returns the address it sends the browser back to."""
        return self.answer_page(address, person, "cancel" if cancel else "allow")

    def linkedin_call(
        self, method: str, path: str, token: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> requests.Response:
        """One call below rest/, with the headers that every call needs."""
        usual = {
            "Authorization": f"Bearer {token}",
            "LinkedIn-Version": LINKEDIN_VERSION,
            "X-Restli-Protocol-Version": "2.0.0",
        }
        sent = {name: value for name, value in {**usual, **(headers or {})}.items() if value}
        return self.session.request(method, f"{self.url}/linkedin/api/rest/{path}", headers=sent, timeout=30, **more)

    # Buffer

    def buffer(self, person: str | None = None, **values: Any) -> GrantedBuffer:
        """A key and tokens without any page: "bruno", "freya", or a new account with services=[…], plan="team";
        scopes=[…], seconds=."""
        if person:
            values["person"] = person
        return GrantedBuffer(**self.control("POST", "buffer/people", **values))

    def buffer_app(self, **values: Any) -> dict[str, Any]:
        """metrics_over_oauth=True, quotas={"900": 5} (calls per window in seconds; {} gives those of the plan)."""
        return self.control("POST", "buffer/app", **values)

    def buffer_channel(self, channel: str, **values: Any) -> dict[str, Any]:
        """isDisconnected=, isLocked=, isQueuePaused=, subscription_type=, max_characters=, daily_limit=, remove_board=."""
        return self.control("POST", "buffer/channel", channel=channel, **values)

    def buffer_unlink(self, channel: str) -> None:
        """The owner removes the channel."""
        self.control("POST", "buffer/unlink", channel=channel)

    def buffer_posts(self, channel: str) -> list[dict[str, Any]]:
        """Everything that Buffer keeps for a channel: id, message, status, mode, media. `feed` has what is live."""
        response = self.session.get(f"{self.url}/control/buffer/posts", params={"channel": channel}, timeout=30)
        response.raise_for_status()
        return response.json()["posts"]

    def buffer_address(
        self, scope: str, verifier: str = "v" * 43, redirect_uri: str = "http://127.0.0.1:9/back", **params: str
    ) -> str:
        digest = hashlib.sha256(verifier.encode()).digest()
        values = {
            "response_type": "code",
            "client_id": BUFFER_CLIENT_ID,
            "redirect_uri": redirect_uri,
            "state": "s",
            "scope": scope,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
            "prompt": "consent",
        }
        return f"{self.url}/buffer/auth/auth?{urlencode({**values, **params})}"

    def buffer_consent(self, address: str, person: str = "bruno", *, cancel: bool = False) -> str:
        """Answer Buffer's consent page; returns the address it sends the browser back to."""
        return self.answer_page(address, person, "cancel" if cancel else "allow")

    def graphql(self, token: str, query: str, **variables: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        body = {"query": query, "variables": variables}
        return self.session.post(f"{self.url}/buffer/api", json=body, headers=headers, timeout=30)

    def answer_page(self, address: str, person: str, button: str) -> str:
        """Choose a person, then press a button; a page that sends on by itself is fine, too."""
        target, _, query = address.partition("?")
        values = {name: found[-1] for name, found in parse_qs(query).items()}
        screen = self.session.get(target, params={**values, "person": person}, allow_redirects=False, timeout=30)
        if screen.status_code == 302:
            return screen.headers["Location"]
        screen.raise_for_status()
        form = {**values, "person": person, button: "1"}
        answer = self.session.post(target, data=form, allow_redirects=False, timeout=30)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def revoke(self, person: str, subcode: int = 458) -> None:
        """The person takes the app away (458), changes the password (460) or is sent to a checkpoint (459)."""
        self.control("POST", "revoke", person=person, subcode=subcode)

    # As a person in a browser

    def consent(
        self,
        dialog_address: str,
        person: str = "gina",
        *,
        declined: tuple[str, ...] = (),
        pages: list[str] | None = None,
        cancel: bool = False,
    ) -> str:
        """Answer the consent screen that the product sent the browser to; returns the address it sends the browser
        back to."""
        address, _, query = dialog_address.partition("?")
        values = {name: found[-1] for name, found in parse_qs(query).items()}
        screen = self.session.get(address, params={**values, "person": person}, timeout=30)
        screen.raise_for_status()
        asked = [scope for scope in values.get("scope", "").replace(" ", ",").split(",") if scope]
        if pages is None:
            pages = self.pages_on(screen.text)
        form: list[tuple[str, str]] = [*values.items(), ("person", person)]
        form += [("scopes", scope) for scope in asked if scope not in declined]
        form += [("pages", page_id) for page_id in pages]
        if cancel:
            form.append(("cancel", "1"))
        answer = self.session.post(address, data=form, allow_redirects=False, timeout=30)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    @staticmethod
    def pages_on(screen: str) -> list[str]:
        """The ids of the Pages that the consent screen offers."""
        return [part.partition('"')[0] for part in screen.split('name="pages" value="')[1:]]

    # As an app

    def proof(self, token: str) -> str:
        return hmac.new(APP_SECRET.encode(), token.encode(), hashlib.sha256).hexdigest()

    def call(
        self, method: str, path: str, token: str | None = None, *, version: str = VERSION, **params: Any
    ) -> requests.Response:
        """One call of the Graph API, with the proof when there is a token; the answer may be a refusal."""
        files = params.pop("files", None)
        if token:
            params = {"access_token": token, "appsecret_proof": self.proof(token), **params}
        params = {name: value for name, value in params.items() if value is not None}
        address = f"{self.graph_url}/{version}/{path}"
        if method == "POST":
            return self.session.post(address, data=params, files=files, timeout=30)
        return self.session.request(method, address, params=params, timeout=30)

    def dialog_address(self, redirect_uri: str = "http://127.0.0.1:9/back", **params: str) -> str:
        values = {"client_id": APP_ID, "redirect_uri": redirect_uri, "response_type": "code", "state": "s", **params}
        return f"{self.url}/facebook/{VERSION}/dialog/oauth?{urlencode(values)}"

    def code(self, person: str = "gina", *, scope: str, **more: Any) -> str:
        """The code that consent gives."""
        back = self.consent(self.dialog_address(scope=scope), person, **more)
        return parse_qs(urlsplit(back).query)["code"][0]

    def stop(self) -> None:
        self.session.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(timeout=10)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start_sandbox(
    folder: Path,
    public_base_url: str | None = None,
    container_seconds: float = 0.2,
    *,
    buffer_seconds: float = 0.4,
    port: int | None = None,
    threads: int = 16,
    keep_state: bool = True,
) -> Sandbox:
    """Start a sandbox of its own and wait until it answers.

    public_base_url: where the product's own pages are, if that is not loopback. threads: more than 16 are needed when a
    latency is set and many calls run at once. buffer_seconds: from a post's acceptance to its being live. keep_state: write the posts to folder, so that the next start has them.
    """
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "SANDBOX_STATE": str(folder / "sandbox.json") if keep_state else "",
        "SANDBOX_URL": url,
        "SANDBOX_CONTAINER_SECONDS": str(container_seconds),
        "SANDBOX_BUFFER_SECONDS": str(buffer_seconds),
        "META_APP_ID": APP_ID,
        "META_APP_SECRET": APP_SECRET,
        "META_GRAPH_VERSION": VERSION,
        "INSTAGRAM_APP_ID": INSTAGRAM_APP_ID,
        "INSTAGRAM_APP_SECRET": INSTAGRAM_APP_SECRET,
        "LINKEDIN_CLIENT_ID": LINKEDIN_CLIENT_ID,
        "LINKEDIN_CLIENT_SECRET": LINKEDIN_CLIENT_SECRET,
        "BUFFER_CLIENT_ID": BUFFER_CLIENT_ID,
        "BUFFER_CLIENT_SECRET": BUFFER_CLIENT_SECRET,
        "PUBLIC_BASE_URL": public_base_url or "",
        "PYTHONPATH": str(ROOT),
    }
    log = folder / "sandbox.log"
    command = [sys.executable, "-m", "gunicorn", "socialhub.sandbox.wsgi", "--bind", f"127.0.0.1:{port}"]
    command += ["--worker-class", "gthread", "--threads", str(threads), "--workers", "1", "--keep-alive", "75"]
    command += ["--graceful-timeout", "1", "--no-control-socket", "--log-level", "warning"]
    command += ["--header-map", "dangerous"]  # uploads to Meta name their length in a header with an underscore
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=output, stderr=output)
    sandbox = Sandbox(url, process, log)
    deadline = time.monotonic() + 30
    while True:
        try:
            if sandbox.session.get(f"{url}/control/calls", timeout=5).status_code == 200:
                return sandbox
        except (requests.ConnectionError, requests.Timeout):  # on a busy machine it listens long before it answers
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            sandbox.stop()
            raise RuntimeError(f"The sandbox did not start:\n{log.read_text()[-3000:]}")
        time.sleep(0.1)


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Sandbox]:
    folder = Path(tempfile.mkdtemp(prefix="sandbox-test-"))
    sandbox = start_sandbox(folder)
    yield sandbox
    sandbox.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    """A sandbox on its first day."""
    sandbox_process.reset()
    return sandbox_process
