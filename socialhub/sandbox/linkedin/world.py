"""The members and organizations that stand in the simulated LinkedIn from the start."""

from __future__ import annotations

from ..state import State
from .rows import App, Member, Organization

ADMINISTRATOR, ANALYST = "ADMINISTRATOR", "ANALYST"
APPROVED = "APPROVED"
LENA, MIKA, OLGA = "lEnA7xQ2p9", "mIkA3vT8k1", "oLgA5wR4n6"
TRADES = [
    "Architects",
    "Consulting",
    "Energy",
    "Foods",
    "Logistics",
    "Media",
    "Partners",
    "Robotics",
    "Software",
    "Textiles",
]
TOWNS = ["Aarhus", "Basel", "Bergen", "Bilbao", "Cork", "Dresden", "Ghent", "Graz", "Lyon", "Malmö", "Porto", "Turku"]


def populate(state: State, since: float) -> None:
    state.add(App())
    about = "Two organizations: administrator of one, analyst of the other"
    lena = Member(LENA, "lena", "Lena Lind", about, "lena@lind.example", 1_310, since)
    state.add(lena)
    state.add(
        Organization(
            "51000001",
            "Lind & Daughters",
            "lind-and-daughters",
            6_240,
            {LENA: [ADMINISTRATOR, APPROVED]},
            "Wooden boats, built to be handed down.",
            since,
        )
    )
    state.add(
        Organization(
            "51000002",
            "Nordic Boat Fair",
            "nordic-boat-fair",
            18_900,
            {LENA: [ANALYST, APPROVED]},
            "Every spring, in the old shipyard.",
            since,
        )
    )
    mika = Member(MIKA, "mika", "Mika Member", "No organization", "mika@member.example", 480, since)
    state.add(mika)
    olga = Member(OLGA, "olga", "Olga Office", "120 organizations", "olga@office.example", 3_900, since)
    state.add(olga)
    for number in range(120):
        name = f"{TOWNS[number // 10]} {TRADES[number % 10]}"
        vanity_name = f"{name.lower().replace(' ', '-').replace('ö', 'o')}-{number + 1}"
        state.add(
            Organization(
                str(52_000_001 + number),
                name,
                vanity_name,
                240 + 97 * number,
                {OLGA: [ADMINISTRATOR, APPROVED]},
                created_at=since,
            )
        )


def add_member(state: State, name: str, organizations: int, since: float) -> Member:
    """A new member who administers so many new organizations."""
    number = state.new_number()
    member = Member(
        f"mEmBeR{number}",
        f"member{number}",
        name,
        f"{organizations} organizations, made by a test",
        f"member{number}@sandbox.example",
        900 + number,
        since,
    )
    state.add(member)
    for position in range(organizations):
        organization_number = state.new_number()
        state.add(
            Organization(
                str(53_000_000 + organization_number),
                f"{name} Organization {position + 1}",
                f"organization-{organization_number}",
                1_000 + organization_number,
                {member.id: [ADMINISTRATOR, APPROVED]},
                created_at=since,
            )
        )
    return member


def organizations_of(state: State, member_id: str) -> list[Organization]:
    return [one for one in state.linkedin_organizations.values() if member_id in one.roles]
