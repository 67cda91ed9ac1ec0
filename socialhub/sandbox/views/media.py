"""Pictures: what was uploaded or fetched, and portraits."""

from __future__ import annotations

import mimetypes
import re

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from .. import pictures
from ..world import start

# Of posts that were made elsewhere; no larger than those.
ELSEWHERE = re.compile(r"elsewhere-([\w-]{1,80})-(\d{1,4})x(1?\d{1,3})\.jpg")


def file(request: HttpRequest, name: str) -> HttpResponseBase:
    if drawn := ELSEWHERE.fullmatch(name):
        width, height = int(drawn[2]), int(drawn[3])
        return HttpResponse(
            pictures.drawn(drawn[1], width, height),
            content_type="image/jpeg",
            headers={"Cache-Control": "public, max-age=86400"},
        )
    path = start().folder / name
    if "/" in name or name.startswith(".") or not path.is_file():
        raise Http404
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return FileResponse(path.open("rb"), content_type=kind, headers={"Cache-Control": "public, max-age=86400"})


def portrait(request: HttpRequest, node_id: str) -> HttpResponse:
    state = start()
    node = state.node(node_id) or state.portrayed(node_id)
    name = getattr(node, "name", "")
    if not name:
        raise Http404
    return HttpResponse(
        pictures.portrait(node_id, name),
        content_type="image/png",
        headers={"Cache-Control": "public, max-age=86400", "Cross-Origin-Resource-Policy": "cross-origin"},
    )
