"""What every HTMX site needs once: views stay unaware of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from allauth.usersessions.middleware import UserSessionsMiddleware
from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.contrib.messages import get_messages
from django.core.cache import cache
from django.core.exceptions import MiddlewareNotUsed
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from redis.exceptions import RedisError

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class LoopbackMiddleware:
    """On a developer's machine: bring other names of this machine to the one in PUBLIC_BASE_URL.

    Cookies belong to one name. Who opens "localhost" would be a stranger when a network sends them back to "127.0.0.1".
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.home = urlsplit(settings.PUBLIC_BASE_URL)
        if self.home.hostname not in LOOPBACK:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = urlsplit(f"//{request.get_host()}")
        # Another port is a tunnel, and only its other end knows the way.
        is_twin = asked.port == self.home.port and asked.hostname in LOOPBACK and asked.hostname != self.home.hostname
        if request.method == "GET" and is_twin:
            return HttpResponseRedirect(settings.PUBLIC_BASE_URL + request.get_full_path())
        return self.get_response(request)


class SignInMiddleware(LoginRequiredMiddleware):
    """Whose session has ended comes back to the page that they were on.

    Django leads back to the address that was asked for, which is no page when it is that of a button or a fragment.
    """

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> HttpResponseRedirect:
        if request.method in ("GET", "HEAD") and not request.htmx:  # type: ignore[attr-defined]
            return super().handle_no_permission(request, view_func)
        if not request.htmx and (keep := getattr(view_func, "when_signed_out", None)):  # type: ignore[attr-defined]
            keep(request, **(request.resolver_match.kwargs if request.resolver_match else {}))
        return redirect_to_login(
            page_of(request), self.get_login_url(view_func), self.get_redirect_field_name(view_func)
        )


def page_of(request: HttpRequest) -> str:
    """The page that a button or a fragment stands on, as the browser tells; "/" where it tells none of ours."""
    told = request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(told, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    parts = urlsplit(told)
    return parts._replace(scheme="", netloc="", path=parts.path or "/", fragment="").geturl()


class HtmxMiddleware:
    """Vary by HX-Request, let the browser follow redirects itself, append messages out of band."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        patch_vary_headers(response, ["HX-Request"])
        if not request.htmx:  # type: ignore[attr-defined]
            return response
        if 300 <= response.status_code < 400 and "Location" in response:
            response["HX-Redirect"] = response["Location"]
            del response["Location"]
            response.status_code = 200
            return response
        is_html = response.get("Content-Type", "").startswith("text/html") and not response.streaming
        if is_html and (found := list(get_messages(request))):
            response.content += render_to_string("_messages.html", {"messages": found, "oob": True}).encode()
            if "Content-Length" in response:
                response["Content-Length"] = str(len(response.content))
        return response


class RefusedFormMiddleware:
    """A form that comes back with its errors answers 422 from views that are not ours, too: those of allauth."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_template_response(self, request: HttpRequest, response: TemplateResponse) -> TemplateResponse:
        form = (response.context_data or {}).get("form")
        if request.method == "POST" and response.status_code == 200 and isinstance(form, BaseForm) and form.errors:
            response.status_code = 422
        return response


SEEN_EVERY_SECONDS = 300


class SessionActivityMiddleware(UserSessionsMiddleware):
    """When and from where a session was last used, noted every five minutes instead of with each request.

    Every note costs five statements, one of them a write.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self.is_due(request.session.session_key):
            return super().__call__(request)
        return self.get_response(request)

    def is_due(self, key: str | None) -> bool:
        if not key:
            return False
        try:
            return bool(cache.add(f"session-seen:{key}", 1, SEEN_EVERY_SECONDS))
        except RedisError:  # a page is worth more than the note
            return False
