"""Instagram accounts that are linked to no Page. Those that are linked can sign in at Instagram as well."""

from __future__ import annotations

from ..state import Instagram, State

INES, PETRA = "17841400000900001", "17841400000900002"


def populate(state: State, since: float) -> None:
    about = "Letters, drawn by hand."
    state.add(
        Instagram(INES, "", "ines.ink", "Ines Ink", 5_310, 402, about, created_at=since, account_type="MEDIA_CREATOR")
    )
    about = "Only me and my cat."
    state.add(
        Instagram(
            PETRA, "", "petra.private", "Petra Private", 214, 301, about, created_at=since, account_type="PERSONAL"
        )
    )


def can_sign_in(state: State) -> list[Instagram]:
    """Those without a Page first, then the others."""
    return sorted(state.instagrams.values(), key=lambda one: bool(one.page_id))


def find(state: State, key: str) -> Instagram | None:
    return next((one for one in list(state.instagrams.values()) if key in (one.key, one.id)), None)
