"""The host of binary uploads: a file comes in one or several stretches, each at the byte where the one before ended.

Its refusals have a form of their own. What is uploaded there has an id at the Graph API; who finds it, where its bytes go
and what is done when it is whole, each kind says for itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from django.http import HttpRequest

from ..faults import AnswerLostError, strike_after, strike_before, take
from ..pictures import NotFetchedError, fetch
from ..world import start
from .call import Call
from .dispatch import Reply, remember
from .errors import GraphError, bad_token

CHUNK = 65_536


class Row(Protocol):
    """size_bytes: what was announced with the first stretch; received: how much of it is there."""

    id: str
    size_bytes: int
    received: int


@dataclass(frozen=True)
class Kind:
    """find: the row of that id, if this token may write there (raises GraphError). finish: it is whole."""

    find: Callable[[Call, str], Any]
    path: Callable[[Call, Any], Path]
    finish: Callable[[Call, Any], None]


KINDS: dict[str, Kind] = {}


class RefusedError(Exception):
    """type: as this host names it."""

    def __init__(self, kind: str, message: str, *, status: int = 400, retriable: bool = False) -> None:
        super().__init__(message)
        self.reply = Reply(status, {"debug_info": {"retriable": retriable, "type": kind, "message": message}})


def receive(request: HttpRequest, path: str, base_url: str) -> Reply:
    """/{kind}/{version}/{id}. Raises AnswerLostError when the connection shall just be closed."""
    name, _, rest = path.strip("/").partition("/")
    version, _, node_id = rest.partition("/")
    state = start()
    call = Call(state, "POST", version, [node_id, name], {}, base_url, state.now())
    lost = False
    try:
        reply = take_in(call, request, KINDS.get(name), node_id)
    except RefusedError as error:
        reply = error.reply
    except GraphError as error:
        reply = refusal_of(error)
    except AnswerLostError:
        reply, lost = Reply(200, None), True
    while request.read(CHUNK):  # else the connection would break off before the refusal is read
        pass
    remember(call, reply, lost)
    if lost:
        raise AnswerLostError
    return reply


def take_in(call: Call, request: HttpRequest, kind: Kind | None, node_id: str) -> Reply:
    if kind is None or request.method != "POST":
        raise RefusedError("NotFoundError", "There is no such place for uploads", status=404)
    call._token = token_of(call, request.headers.get("Authorization", ""))
    row = kind.find(call, node_id)
    struck = take(call.state, "POST", call.edge, call.account_id)
    if call.state.latency_seconds:
        time.sleep(call.state.latency_seconds)
    strike_before(call, struck)
    if address := request.headers.get("file_url") or request.headers.get("File-Url"):
        take_from(call, kind, row, address)
        is_whole = True
    else:
        is_whole = take_stretch(call, request, kind, row)
    strike_after(struck)
    if not is_whole:
        raise RefusedError("PartialRequestError", "Partial request (did not match length of file)", retriable=True)
    return Reply(200, {"success": True, "message": "Upload successful."})


def token_of(call: Call, header: str) -> Any:
    """This host wants no proof, and the scheme that Meta calls OAuth."""
    scheme, _, value = header.partition(" ")
    token = call.state.tokens.get(value.strip())
    if scheme != "OAuth" or token is None or token.kind == "INSTAGRAM" or not token.usable_at(call.now):
        raise bad_token("Invalid OAuth access token")
    return token


def take_stretch(call: Call, request: HttpRequest, kind: Kind, row: Row) -> bool:
    """Keep what came, also of a part. Answers whether the file is whole."""
    offset, size = number(request, "offset"), number(request, "file_size")
    with call.state.lock:
        if row.size_bytes and row.size_bytes != size:
            raise RefusedError("ParameterValidationError", f"file_size was {row.size_bytes} before")
        if offset != row.received or row.received >= size:
            raise RefusedError("OffsetInvalidError", f"The offset must be {row.received}", retriable=True)
        row.size_bytes = size
    place = kind.path(call, row)
    with place.open("r+b" if place.exists() else "wb") as file:
        file.seek(offset)
        while chunk := request.read(CHUNK):
            file.write(chunk)
        end = file.tell()
    if end > size:
        raise RefusedError("ParameterValidationError", "More bytes came than file_size says")
    with call.state.lock:
        row.received = end
        call.state.changed()
    if end < size:
        return False
    kind.finish(call, row)
    return True


def take_from(call: Call, kind: Kind, row: Row, address: str) -> None:
    """The file_url header: fetched in place of the body."""
    try:
        content = fetch(address)
    except NotFetchedError as error:
        raise RefusedError("ProcessingFailedError", str(error), retriable=True) from error
    kind.path(call, row).write_bytes(content)
    with call.state.lock:
        row.size_bytes = row.received = len(content)
        call.state.changed()
    kind.finish(call, row)


def number(request: HttpRequest, name: str) -> int:
    value = request.headers.get(name) or request.headers.get(name.replace("_", "-")) or ""
    if not value.isdigit():
        raise RefusedError("ParameterValidationError", f"The header {name} must be a whole number")
    return int(value)


def refusal_of(error: GraphError) -> Reply:
    if error.code == 190:
        return RefusedError("OAuthException", error.message, status=401).reply
    if error.subcode == 33:
        return RefusedError("NotFoundError", error.message, status=404).reply
    if error.status >= 500:
        return RefusedError("InternalError", error.message, status=error.status, retriable=True).reply
    return RefusedError("NotAuthorizedError", error.message, status=403).reply
