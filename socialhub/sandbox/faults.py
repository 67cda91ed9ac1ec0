"""The switch board: faults that calls run into, and which calls they strike."""

from __future__ import annotations

import time
from collections.abc import Callable
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
    networks: tuple[str, ...] = ("meta", "instagram", "linkedin", "buffer")


KINDS = {
    "lost_answer": Kind(
        "Answer lost after accepting",
        "The call is carried out, then the connection closes without an answer. Writing calls only.",
        writes_only=True,
    ),
    "error_before": Kind("500 before doing anything", "The call fails with a server error and nothing has happened."),
    "error_after": Kind(
        "500 after doing it",
        "The call is carried out and then answered with a server error. Writing calls only.",
        writes_only=True,
    ),
    "rate_limited": Kind("Rate limited", "Meta and Buffer say how long to wait, LinkedIn does not."),
    "token_revoked": Kind(
        "Token revoked", "This call finds its token revoked, on Meta with a subcode (460: password changed)."
    ),
    "token_expired": Kind("Token expired", "This call finds its token too old.", networks=("linkedin", "buffer")),
    "permission_lost": Kind(
        "Permission lost", "This call is refused for want of a permission.", networks=("linkedin", "buffer")
    ),
    "version_retired": Kind("Version retired", "426: the pinned version has died.", networks=("linkedin",)),
    "processing_failed": Kind(
        "Fails in processing", "What is uploaded next is taken, and cannot be prepared.", True, ("meta", "linkedin")
    ),
    "no_id": Kind("Accepted without an id", "201 without the header that names the post.", True, ("linkedin",)),
    "typed_error": Kind(
        "Typed error", "The mutation answers with the error type that is named below.", True, ("buffer",)
    ),
    "publish_error": Kind(
        "Fails when publishing", "The post is accepted and ends with status error, a while later.", True, ("buffer",)
    ),
    "no_link": Kind("Published without a link", "The post is sent and has no externalLink.", True, ("buffer",)),
    "slow": Kind("Slow", "The call is held back for some seconds before it is carried out."),
    "rejected_image": Kind("Rejected image", "A call that brings an image is refused.", writes_only=True),
    "duplicate": Kind("Duplicate refused", "The network takes the post for a repeat.", writes_only=True),
}
# Network: the calls that people choose from. Of Instagram's own login those about tokens; all others are Meta's, on
# either host. "linkedin" or "buffer" alone strikes every call of that network.
EDGES = {
    "meta": [
        *("meta", "feed", "photos", "media", "media_publish", "published_posts", "insights", "accounts", "node"),
        *("content_publishing_limit", "oauth"),
        *("videos", "video_reels", "video_stories", "video-upload", "photo_stories", "stories", "comments"),
        "ig-api-upload",
    ],
    "instagram": ["instagram.token", "instagram.exchange", "instagram.refresh"],
    "linkedin": [
        *("linkedin", "linkedin.posts", "linkedin.images", "linkedin.dms-uploads", "linkedin.userinfo"),
        *("linkedin.videos", "linkedin.documents", "linkedin.socialActions"),
        *("linkedin.organizationAcls", "linkedin.organizations", "linkedin.networkSizes", "linkedin.token"),
        "linkedin.organizationalEntityShareStatistics",
    ],
    "buffer": [
        *("buffer", "buffer.createPost", "buffer.posts", "buffer.post", "buffer.deletePost", "buffer.account"),
        *("buffer.channels", "buffer.channel", "buffer.dailyPostingLimits", "buffer.token"),
    ],
}
# Which calls of Meta announce what is processed later; the fault strikes no others.
PROCESSED_EDGES = {"videos", "video_reels", "video_stories", "media"}
# Which calls bring an image.
IMAGE_EDGES = {"photos", "media", "linkedin.posts", "linkedin.dms-uploads", "buffer.createPost"}


def take(state: State, method: str, edge: str, account: str) -> list[Fault]:
    """The faults that strike this call; each that is counted is used up by one."""
    if not state.faults:
        return []
    network = edge.partition(".")[0] if "." in edge else "meta"
    struck = []
    with state.lock:
        for fault in list(state.faults.values()):
            kind = KINDS[fault.kind]
            if fault.edge not in ("any", network, edge, f"{method} {edge}") or network not in kind.networks:
                continue
            if fault.account != "all" and fault.account.rsplit(":", 1)[-1] != account:
                continue
            # Tokens are exchanged with GET, too.
            if kind.writes_only and method == "GET" and edge not in ("oauth", *EDGES["instagram"]):
                continue
            if fault.kind == "rejected_image" and edge not in IMAGE_EDGES:
                continue
            if fault.kind == "processing_failed" and network == "meta" and edge not in PROCESSED_EDGES:
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


Refusals = Callable[[Fault], Exception | None]
AFTER = {"error_after"}


def strike(struck: list[Fault], *, before: Refusals | None = None, after: Refusals | None = None) -> None:
    """What the faults do to a call of LinkedIn or Buffer, whose refusals look as the given function says.

    before: keep it from being carried out; after: spoil the answer. Raises what the function gives, or AnswerLostError.
    """
    for fault in struck:
        if after is not None and fault.kind == "lost_answer":
            raise AnswerLostError
        if before is not None and fault.kind == "slow":
            time.sleep(fault.seconds)
        refusals = after if fault.kind in AFTER else before
        error = refusals(fault) if refusals else None
        if error is not None:
            raise error


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
                detail=str(values.get("detail") or ""),
            )
            state.add(fault)
    except ValueError:
        raise invalid("count, seconds, subcode and minutes must be numbers") from None
    return fault
