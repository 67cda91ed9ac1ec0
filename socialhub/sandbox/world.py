"""The people, Pages and accounts that stand in the sandbox from the start, and how more of them are made."""

from __future__ import annotations

from collections.abc import Sequence

from . import settings
from . import state as state_module
from .buffer import world as buffer
from .elsewhere import furnish
from .instagram_login import world as instagram_login
from .linkedin import world as linkedin
from .seeds import EPOCH, generator
from .state import ALL_TASKS, Business, Instagram, Page, Person, Reach, Role, State

GINA = "10220000000000001"
PAUL = "10220000000000002"
ALEX = "10220000000000003"

CATEGORIES = ["Restaurant", "Local business", "Retail company", "Hotel", "Sports club", "Bakery", "Museum", "Florist"]
FIRST_WORDS = ["Harbour", "Linden", "Silver", "Maple", "North", "Old Town", "Sunny", "Copper", "River", "Willow"]
LAST_WORDS = ["Bakery", "Garage", "Books", "Cycles", "Coffee", "Flowers", "Hotel", "Kitchen", "Optics", "Pottery"]
LAST_WORDS += ["Records", "Shoes", "Toys"]


def start() -> State:
    """The state of this process, filled at its first use."""
    state_module.configure(populate)
    return state_module.get_state()


def populate(state: State) -> None:
    """The people everybody starts with."""
    state.add(Person(GINA, "gina", "Gina Garage", "One Page with a linked Instagram account"))
    camaro = Page(
        "101000000000001",
        "Camaro Garage",
        "camarogarage",
        "Automotive repair shop",
        12_480,
        [Role(GINA, list(ALL_TASKS))],
        about="We bring first-generation Camaros back to the road.",
        created_at=EPOCH,
    )
    state.add(camaro)
    link_instagram(state, camaro, "camarogarage", followers=8_930, number=1, quota=100)

    state.add(Person(PAUL, "paul", "Paul Partly", "A Page whose Instagram account is not linked yet"))
    state.add(
        Page(
            "101000000000002",
            "Paul's Pottery",
            "paulspottery",
            "Artist",
            1_764,
            [Role(PAUL, list(ALL_TASKS))],
            about="Cups, bowls and the odd vase.",
            created_at=EPOCH,
        )
    )

    state.add(Person(ALEX, "alex", "Alex Agency", "About 130 Pages, some through a business portfolio"))
    state.add(Business("102000000000001", "Alex Agency Portfolio", ALEX))
    for number in range(130):
        state.add(agency_page(state, number))

    instagram_login.populate(state, EPOCH)
    linkedin.populate(state, EPOCH)
    buffer.populate(state, EPOCH)
    if settings.SANDBOX_ELSEWHERE:
        furnish(state, settings.SANDBOX_ELSEWHERE)


def agency_page(state: State, number: int) -> Page:
    """Page `number` of the agency: 118 direct ones, then 8 owned and 4 client Pages of the portfolio."""
    figures = generator("agency", number)
    name = f"{FIRST_WORDS[number % 10]} {LAST_WORDS[number // 10]}"
    tasks = list(ALL_TASKS)
    if number == 7:
        tasks = []
        name += " (no role)"
    elif number == 8:
        tasks = ["ANALYZE"]
        name += " (analyst only)"
    reach: Reach = "direct" if number < 118 else "owned" if number < 126 else "client"
    page = Page(
        str(103_000_000_000_000 + number),
        name,
        "".join(letter for letter in name.lower() if letter.isalnum()),
        figures.choice(CATEGORIES),
        int(figures.lognormvariate(7, 1.2)) + 120,
        [Role(ALEX, tasks, reach)],
        business_id="" if reach == "direct" else "102000000000001",
        created_at=EPOCH,
    )
    if number % 3 == 0 and tasks:
        link_instagram(state, page, page.username, followers=page.followers_count * 2, number=1000 + number, quota=50)
    return page


def link_instagram(
    state: State, page: Page, username: str, *, followers: int, number: int | None = None, quota: int = 50
) -> Instagram:
    """Give a Page a linked professional account."""
    if number is None:
        number = 100_000 + state.new_number()
    account = Instagram(
        str(17_841_400_000_000_000 + number),
        page.id,
        username,
        page.name,
        followers,
        generator("follows", page.id).randrange(80, 900),
        biography=page.about,
        quota_total=quota,
        engaged_users=page.engaged_users,
        created_at=page.created_at,
    )
    page.instagram_id = account.id
    state.add(account)
    return account


def add_person(state: State, name: str, pages: int, *, instagram: bool, followers: Sequence[int] = ()) -> Person:
    """A new person with full rights on so many new Pages."""
    number = state.new_number()
    person = Person(str(10_220_000_000_100_000 + number), f"person{number}", name, f"{pages} Pages, made by a test")
    state.add(person)
    for position in range(pages):
        page_number = state.new_number()
        page = Page(
            str(104_000_000_000_000 + page_number),
            f"{name} Page {position + 1}",
            f"page{page_number}",
            "Local business",
            followers[position] if position < len(followers) else 1_000 + page_number,
            [Role(person.id, list(ALL_TASKS))],
            engaged_users=1_000,
            created_at=EPOCH,
        )
        state.add(page)
        if instagram:
            link_instagram(state, page, page.username, followers=2_000 + page_number)
    return person
