"""What every HTMX site needs once: views stay unaware of it."""

from __future__ import annotations

from collections.abc import Callable

from allauth.usersessions.middleware import UserSessionsMiddleware
from django.contrib.messages import get_messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers


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


SEEN_EVERY_SECONDS = 300


class SessionActivityMiddleware(UserSessionsMiddleware):
    """When and from where a session was last used, noted every five minutes instead of with each request.

    Every note costs five statements, one of them a write.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = request.session.session_key
        if key and cache.add(f"session-seen:{key}", 1, SEEN_EVERY_SECONDS):
            return super().__call__(request)
        return self.get_response(request)
