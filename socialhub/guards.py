"""What every answer carries, how much a request may bring, and how often a person may ask for what is dear."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from redis.exceptions import RedisError

Answer = TypeVar("Answer", bound=HttpResponseBase)
GetResponse = Callable[[HttpRequest], HttpResponseBase]

# Nothing here uses the camera, the place or the purse of anybody, and no part of a page from elsewhere may either.
CLOSED = (
    *("accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "encrypted-media"),
    *("gamepad", "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer", "microphone"),
    *("midi", "payment", "publickey-credentials-get", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking"),
)
PERMISSIONS_POLICY = ", ".join(f"{name}=()" for name in CLOSED)
SAME_ORIGIN = "same-origin"
API = "/api/"

# A form of somebody who is not signed in is a few words; Meta's messages have less than 4 kB.
STRANGERS_MOST_BYTES = 64 * 1024
# Somebody whose tries were too many is told when to come again; allauth does not say it.
USUAL_WAIT_SECONDS = 60


class HeadersMiddleware:
    """What browsers are told with every answer, files and refusals included."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", SAME_ORIGIN)
        if response.status_code == 429:
            response.headers.setdefault("Retry-After", str(USUAL_WAIT_SECONDS))
        if not response.has_header("Cache-Control"):
            # Whatever a page is made of belongs to one person: no cache between keeps it, and the browser asks first.
            patch_cache_control(response, private=True, no_cache=True)
        return response


class BodySizeMiddleware:
    """Refuses what is too large before anything of it is read: files would be on our disk before a view could look.

    Behind the one that knows who asks, before the one that looks for a token in the form. A body that does not say how
    long it is counts as empty, as Django has it.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if size_of(request) <= STRANGERS_MOST_BYTES or size_of(request) <= most_bytes(request):
            return self.get_response(request)
        if request.path.startswith(API):
            raise RequestDataTooBig("The request is larger than any that is taken.")  # it has its own words for it
        return HttpResponse("This is more than is taken here.\n", status=413, content_type="text/plain; charset=utf-8")


def size_of(request: HttpRequest) -> int:
    told = request.META.get("CONTENT_LENGTH") or ""
    return int(told) if told.isascii() and told.isdecimal() and len(told) < 19 else 0


def most_bytes(request: HttpRequest) -> int:
    """A program shows its key to the API itself, which looks at it before it reads what comes with it."""
    has_key = "Authorization" in request.headers and request.path.startswith(API)
    is_known = has_key or request.user.is_authenticated  # type: ignore[attr-defined]
    return settings.UPLOAD_REQUEST_MAX_BYTES if is_known else STRANGERS_MOST_BYTES


@dataclass(frozen=True, slots=True)
class Pace:
    """So many times within so many seconds, for one person."""

    times: int
    seconds: int


# Far above what people do by hand, and what our scripts do for them: one request for each file of a large set.
PACES = {
    "upload": Pace(900, 600),
    "export": Pace(300, 600),
    "sync": Pace(120, 600),
    "key": Pace(20, 3600),
    "connect": Pace(60, 600),
    "workspace_export": Pace(6, 3600),
}


def wait_for(action: str, person: object) -> int:
    """Count one more. Returns 0, or after how many seconds it may be tried again; a broken cache stops nobody."""
    pace = PACES[action]
    window, passed = divmod(int(time.time()), pace.seconds)
    key = f"pace:{action}:{person}:{window}"
    try:
        cache.add(key, 0, pace.seconds)
        times = cache.incr(key)
    except (RedisError, ValueError):  # ValueError: it ran out between the two
        return 0
    return 0 if times <= pace.times else pace.seconds - passed


def paced(
    action: str, *, when: Callable[[HttpRequest], bool] = lambda request: True
) -> Callable[[Callable[..., Answer]], Callable[..., Answer | HttpResponse]]:
    """For views of people who are signed in: too many within a while get 429 and when to come again."""

    def decorate(view: Callable[..., Answer]) -> Callable[..., Answer | HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Answer | HttpResponse:
            if when(request) and (seconds := wait_for(action, request.user.pk)):
                refusal = render(request, "429.html", status=429)
                refusal["Retry-After"] = str(seconds)
                return refusal
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def brings_files(request: HttpRequest) -> bool:
    return request.method == "POST" and bool(request.FILES)
