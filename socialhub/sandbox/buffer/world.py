"""The accounts, organizations and channels that stand in the simulated Buffer from the start."""

from __future__ import annotations

from ..state import State
from .rows import Account, App, Channel, Organization

BRUNO, FREYA = "65a000000000000000000001", "65a000000000000000000002"
# service: kind of channel, handle, name people see; substack stands for services that came after the schema.
SERVICES = {
    "twitter": ("profile", "brunobikes", "Bruno's Bikes"),
    "pinterest": ("business", "brunobikes", "Bruno's Bikes"),
    "tiktok": ("account", "brunobikes", "Bruno's Bikes"),
    "youtube": ("channel", "Bruno's Bikes", "Bruno's Bikes"),
    "threads": ("profile", "brunobikes", "Bruno's Bikes"),
    "bluesky": ("profile", "brunobikes.bsky.social", "Bruno's Bikes"),
    "mastodon": ("profile", "brunobikes", "Bruno's Bikes"),
    "googlebusiness": ("business", "Bruno's Bikes, Harbour Street", "Bruno's Bikes"),
    "substack": ("account", "brunobikes", "Bruno's Bikes"),
}
BOARDS = [("Workshop", "workshop"), ("Bikes of the week", "bikes-of-the-week")]
SERVERS = {"mastodon": "https://mastodon.social", "bluesky": "https://bsky.social"}
MASTODON_CHARACTERS = 500
LABELS = {
    "twitter": "Twitter",
    "pinterest": "Pinterest",
    "tiktok": "TikTok",
    "youtube": "YouTube",
    "threads": "Threads",
    "bluesky": "Bluesky",
    "mastodon": "Mastodon",
    "googlebusiness": "Google Business",
    "substack": "Substack",
}
DAILY_LIMITS = {"twitter": 100, "pinterest": 50, "tiktok": 25, "threads": 250, "bluesky": 100, "mastodon": 100}


def object_id(number: int) -> str:
    """An id as Buffer's are: 24 hexadecimal digits."""
    return f"65b{number:021x}"


def populate(state: State, since: float) -> None:
    state.add(App())
    state.add(
        Account(BRUNO, "bruno", "Bruno Buffer", "A channel of every service", "bruno@bikes.example", created_at=since)
    )
    shop = Organization("65a0000000000000000000a1", BRUNO, "Bruno's Bikes")
    state.add(shop)
    for number, service in enumerate(SERVICES):
        state.add(channel(shop, service, 100 + number, since))
    side = Organization("65a0000000000000000000a2", BRUNO, "Harbour Cycling Club", "essentials")
    state.add(side)
    club = channel(side, "bluesky", 120, since)
    club.name, club.display_name = "harbourcycling.bsky.social", "Harbour Cycling Club"
    state.add(club)

    about = "Free plan; one channel to reconnect, one over the plan, one paused"
    state.add(Account(FREYA, "freya", "Freya Free", about, "freya@free.example", created_at=since))
    small = Organization("65a0000000000000000000a3", FREYA, "My Organization", "free")
    state.add(small)
    for number, (service, flag) in enumerate(
        [("twitter", "is_disconnected"), ("threads", "is_locked"), ("mastodon", "is_queue_paused"), ("bluesky", "")]
    ):
        row = channel(small, service, 140 + number, since)
        row.name, row.display_name = row.name.replace("brunobikes", "freyafree"), "Freya Free"
        if flag:
            setattr(row, flag, True)
        state.add(row)


def channel(organization: Organization, service: str, number: int, since: float) -> Channel:
    kind, name, display_name = SERVICES[service]
    row = Channel(
        id=object_id(number),
        organization_id=organization.id,
        service=service,
        service_id=str(9_000_000 + number),
        type=kind,
        name=name,
        display_name=display_name,
        followers_count=400 + (number * 397) % 9_000,
        created_at=since,
        server_url=SERVERS.get(service, ""),
        subscription_type="None" if service == "twitter" else "",
        max_characters=MASTODON_CHARACTERS if service == "mastodon" else 0,
        daily_limit=DAILY_LIMITS.get(service),
    )
    if service == "pinterest":
        row.boards = [
            {
                "id": object_id(number * 1_000 + position),
                "serviceId": str(880_000_000_000 + number * 10 + position),
                "name": title,
                "url": f"https://www.pinterest.com/{name}/{slug}/",
            }
            for position, (title, slug) in enumerate(BOARDS)
        ]
    return row


def add_account(state: State, name: str, services: list[str], since: float, plan: str = "team") -> Account:
    """A new account with one organization and a channel for each of the services."""
    number = 10_000 + state.new_number()
    account = Account(object_id(number), f"account{number}", name, f"{len(services)} channels, made by a test", "")
    account.email, account.created_at = f"{account.key}@sandbox.example", since
    state.add(account)
    organization = Organization(object_id(10_000 + state.new_number()), account.id, f"{name} Organization", plan)
    state.add(organization)
    for service in services:
        channel_number = 10_000 + state.new_number()
        row = channel(organization, service, channel_number, since)
        row.name, row.display_name = f"{row.name}{channel_number}", name
        state.add(row)
    return account


def organizations_of(state: State, account_id: str) -> list[Organization]:
    return [one for one in state.buffer_organizations.values() if one.account_id == account_id]


def channels_of(state: State, organization_id: str) -> list[Channel]:
    return [one for one in state.buffer_channels.values() if one.organization_id == organization_id]
