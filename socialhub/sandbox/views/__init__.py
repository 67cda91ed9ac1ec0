"""What every answer of the sandbox has in common."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from .. import settings

# No form-action: the consent form ends at the address of whoever asked.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def security_headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers["Content-Security-Policy"] = POLICY
            response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return middleware


def frame(request: HttpRequest) -> dict[str, str]:
    """For the pages: the version they link the consent screen with."""
    return {"graph_version": settings.META_GRAPH_VERSION, "app_id": settings.META_APP_ID}


def base_url(request: HttpRequest) -> str:
    """Where people and programs reach the sandbox."""
    return settings.SANDBOX_URL or f"{request.scheme}://{request.get_host()}"
