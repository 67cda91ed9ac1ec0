"""The switch board: faults that calls run into, and which calls they strike."""

from __future__ import annotations

import time
from dataclasses import dataclass

from . import settings
from .graph.call import Call
from .graph.errors import GraphError, invalid, token_lost
from .state import Fault, State


class AnswerLostError(Exception):
    """The connection shall be closed without an answer."""


@dataclass(frozen=True)
class Kind:
    label: str
    meaning: str
    writes_only: bool = False


KINDS = {
    "lost_answer": Kind(
        "Answer lost after accepting",
        "The call is carried out, then the connection closes without an answer. Writing calls only.",
        writes_only=True,
    ),
    "error_before": Kind("500 before doing anything", "The call fails with code 2 and nothing has happened."),
    "error_after": Kind(
        "500 after doing it",
        "The call is carried out and then answered with code 1. Writing calls only.",
        writes_only=True,
    ),
    "rate_limited": Kind("Rate limited", "Code 4, 80001 or 80002, with usage headers and the minutes to wait."),
    "token_revoked": Kind("Token revoked", "Code 190 with a subcode (460: the password was changed)."),
    "slow": Kind("Slow", "The call is held back for some seconds before it is carried out."),
    "rejected_image": Kind("Rejected image", "Photos and media containers are refused.", writes_only=True),
    "duplicate": Kind("Duplicate refused", "Code 506: the network takes the post for a repeat.", writes_only=True),
}
EDGES = ["any", "feed", "photos", "media", "media_publish", "published_posts", "insights", "accounts", "node"]
EDGES += ["content_publishing_limit", "oauth"]


def take(state: State, method: str, edge: str, account: str) -> list[Fault]:
    """The faults that strike this call; each that is counted is used up by one."""
    if not state.faults:
        return []
    struck = []
    with state.lock:
        for fault in list(state.faults.values()):
            if fault.edge not in ("any", edge, f"{method} {edge}") or fault.account not in ("all", account):
                continue
            if KINDS[fault.kind].writes_only and method == "GET":
                continue
            if fault.kind == "rejected_image" and edge not in ("photos", "media"):
                continue
            struck.append(fault)
            if fault.count is not None:
                fault.count -= 1
                if fault.count <= 0:
                    del state.faults[fault.id]
            state.changed()
    return struck


def strike_before(call: Call, struck: list[Fault]) -> None:
    """Faults that keep a call from being carried out. Raises GraphError."""
    for fault in struck:
        if fault.kind == "slow":
            time.sleep(fault.seconds)
        elif fault.kind == "token_revoked":
            raise token_lost(fault.subcode, settings.META_APP_ID)
        elif fault.kind == "rate_limited":
            raise rate_limited(call, fault.minutes)
        elif fault.kind == "error_before":
            raise GraphError(2, "An unexpected error has occurred. Please retry your request later.", transient=True)
        elif fault.kind == "duplicate":
            raise GraphError(
                506,
                "Duplicate status message",
                title="Duplicate Status Update",
                text="This status update is identical to the last one you posted. Try posting something different.",
            )
        elif fault.kind == "rejected_image":
            raise rejected_image(call)


def strike_after(struck: list[Fault]) -> None:
    """Faults that spoil the answer of a call that has been carried out."""
    for fault in struck:
        if fault.kind == "lost_answer":
            raise AnswerLostError
        if fault.kind == "error_after":
            raise GraphError(1, "An unknown error occurred", transient=False)


def rate_limited(call: Call, minutes: int) -> GraphError:
    if call.account_kind == "instagram":
        code, what = 80002, "There have been too many calls to this Instagram account."
    elif call.account_kind == "pages":
        code, what = 80001, "There have been too many calls to this Page account."
    else:
        code, what = 4, "Application request limit reached."
    error = GraphError(code, f"(#{code}) {what} Wait a bit and try again.", transient=True)
    error.headers["regain_minutes"] = str(minutes)
    return error


def rejected_image(call: Call) -> GraphError:
    if call.edge == "media":
        return GraphError(
            36001,
            "The image format is not supported.",
            subcode=2207005,
            title="Unsupported image format",
            text="The image format is not supported. Please check spec for supported formats.",
        )
    return GraphError(324, "(#324) Missing or invalid image file")


def switch_on(state: State, values: dict[str, object]) -> Fault:
    """A new fault from what a person or a test asked for. Raises GraphError 100 for nonsense."""
    kind = str(values.get("kind", ""))
    if kind not in KINDS:
        raise invalid(f"kind must be one of: {', '.join(KINDS)}")
    count = values.get("count", 1)
    try:
        with state.lock:
            fault = Fault(
                id=str(state.new_number()),
                kind=kind,
                edge=str(values.get("edge") or "any"),
                account=str(values.get("account") or "all"),
                count=None if count in (None, "", 0, "0") else int(str(count)),
                seconds=float(str(values.get("seconds") or 10)),
                subcode=int(str(values.get("subcode") or 460)),
                minutes=int(str(values.get("minutes") or 5)),
            )
            state.add(fault)
    except ValueError:
        raise invalid("count, seconds, subcode and minutes must be numbers") from None
    return fault
