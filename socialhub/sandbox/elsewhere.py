"""Posts that were on the accounts before socialhub was: made by hand or with other tools, some weeks back."""

from __future__ import annotations

from collections.abc import Sequence

from .buffer import rows as buffer
from .linkedin import rows as linkedin
from .rhythm import DAY, HOUR, HOURS, rhythm_of
from .seeds import generator, shortcode
from .state import Instagram, Media, Page, Photo, Post, State, Video

WEEKS_BACK = 9
PAGE_KINDS = ("photo", "text", "link", "reel", "photo", "album", "text")
INSTAGRAM_KINDS = ("image", "carousel", "reel", "image", "image", "reel")
STORY_HOURS = (3, 15)  # ago
HIDDEN_LIKES = 9  # every so many posts
SHAPES = {"image": (1080, 1350), "reel": (1080, 1920), "photo": (1200, 900)}
NO_TARGET = {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []}
TEXTS = (
    "Good morning! The door is open and the coffee is hot.",
    "We have been asked so often that we are doing it again: Thursday evening, half past six.",
    "Before and after. Swipe to see what three weeks of patience look like.",
    "New on the shelf since this morning, and already half gone.",
    "Meet Jonas, who has been with us for ten years today.",
    "Rain all weekend? We have something against that.",
    "What would you like to see more of? Tell us below.",
    "Behind the scenes of a Tuesday.",
    "Thank you for 500 orders in one week. We are speechless.",
    "A small mistake, a happy accident, a new favourite.",
    "Closed on Monday, back on Tuesday with fresh bread.",
    "The last one of its kind. First come, first served.",
    "How it is made, in thirty seconds.",
    "Somebody left this note on the counter. It made our day.",
    "We are looking for somebody who likes early mornings.",
    "Summer opening hours start next week.",
)


def furnish(state: State, count: int) -> None:
    """So many posts on each account that has none yet."""
    for page in state.pages.values():
        if not state.posts_of[page.id]:
            furnish_page(state, page, count)
    for account in state.instagrams.values():
        if not state.media_of[account.id]:
            furnish_instagram(state, account, count)
    for organization in state.linkedin_organizations.values():
        if not state.linkedin_posts_of[organization.urn]:
            furnish_organization(state, organization, count)
    for channel in state.buffer_channels.values():
        if not state.buffer_posts_of[channel.id]:
            account_id = state.buffer_organizations[channel.organization_id].account_id
            furnish_channel(state, channel, account_id, count)


def furnish_page(state: State, page: Page, count: int) -> None:
    for position, moment in enumerate(moments(page.id, count, state.now())):
        kind = PAGE_KINDS[position % len(PAGE_KINDS)]
        number = 122_000_000_000_000_000 + state.new_number()
        post = Post(f"{page.id}_{number}", page.id, text_of(page.id, position), moment, by_app=False)
        if kind == "link":
            post.link = f"https://{page.username}.example/news/{position}"
        elif kind == "reel":
            post.video_id = str(1_000_000_000_000_000 + state.new_number())
            state.add(reel_of_page(page, post))
        for place in range({"photo": 1, "album": 3}.get(kind, 0)):
            photo = photo_of(state, page, post, f"{position}-{place}")
            post.photo_ids.append(photo.id)
        state.add(post)
    state.posts_of[page.id].sort(key=lambda one: state.posts[one].created_at)


def reel_of_page(page: Page, post: Post) -> Video:
    width, height = SHAPES["reel"]
    return Video(
        post.video_id,
        page.id,
        "video_reels",
        post.created_at,
        description=post.message,
        finished_at=post.created_at,
        ready_at=post.created_at,
        posts=[post.id],
        is_out=True,
        poster=picture_name(post.id, width, height),
        width=width,
        height=height,
        seconds=generator("seconds", post.id).uniform(8, 40),
    )


def photo_of(state: State, page: Page, post: Post, seed: str) -> Photo:
    width, height = SHAPES["photo"]
    photo_id = str(122_000_000_000_000_000 + state.new_number())
    name = picture_name(f"{page.id}-{seed}", width, height)
    photo = Photo(photo_id, page.id, name, width, height, post.created_at, is_published=True, post_id=post.id)
    return state.add(photo)


def furnish_instagram(state: State, account: Instagram, count: int) -> None:
    """Feed posts, reels and carousels, and two stories of the last day."""
    now = state.now()
    for position, moment in enumerate(moments(account.id, count, now)):
        kind = INSTAGRAM_KINDS[position % len(INSTAGRAM_KINDS)]
        media = media_of(state, account, moment, "reel" if kind == "reel" else "image")
        media.caption = text_of(account.id, position)
        media.product = "REELS" if kind == "reel" else "FEED"
        media.hides_likes = position % HIDDEN_LIKES == HIDDEN_LIKES - 1
        if kind == "carousel":
            children = [media_of(state, account, moment, "image", media.id) for _ in range(3)]
            media.children = [child.id for child in children]
            media.file = ""
    for hours in STORY_HOURS if count else ():
        media_of(state, account, now - hours * HOUR, "reel", product="STORY")
    state.media_of[account.id].sort(key=lambda one: state.media[one].created_at)


def media_of(
    state: State, account: Instagram, moment: float, shape: str, parent_id: str = "", product: str = "FEED"
) -> Media:
    number = state.new_number()
    width, height = SHAPES[shape]
    name = picture_name(f"{account.id}-{number}", width, height)
    media = Media(
        str(17_950_000_000_000_000 + number),
        account.id,
        shortcode(number),
        moment,
        width=width,
        height=height,
        parent_id=parent_id,
        product=product,
    )
    # Of a film only its first picture is there.
    media.file, media.poster = ("", name) if shape == "reel" and product != "STORY" else (name, "")
    return state.add(media)


def furnish_organization(state: State, organization: linkedin.Organization, count: int) -> None:
    for position, moment in enumerate(moments(organization.id, count, state.now())):
        text = text_of(organization.id, position)
        urn = f"urn:li:share:{7_380_000_000_000_000_000 + state.new_number()}"
        state.add(
            linkedin.Post(urn, organization.urn, text, text, text, "PUBLIC", dict(NO_TARGET), moment, changed_at=moment)
        )
    state.linkedin_posts_of[organization.urn].sort(key=lambda one: state.linkedin_posts[one].created_at)


def furnish_channel(state: State, channel: buffer.Channel, account_id: str, count: int) -> None:
    """Made in Buffer itself."""
    for position, moment in enumerate(moments(channel.id, count, state.now())):
        number = state.new_number()
        state.add(
            buffer.Post(
                f"65c{number:021x}",
                channel.id,
                channel.organization_id,
                account_id,
                text_of(channel.id, position),
                "sent",
                "shareNow",
                "automatic",
                moment,
                moment,
                begins_at=moment,
                sent_at=moment,
            )
        )
    state.buffer_posts_of[channel.id].sort(key=lambda one: state.buffer_posts[one].created_at)


def moments(seed: str, count: int, now: float) -> Sequence[float]:
    """So many over the last weeks, oldest first, mostly at hours at which people post."""
    numbers = generator("moments", seed)
    offset = rhythm_of(seed).offset
    found = []
    for position in range(count):
        day = (now - 2 * DAY - (position + numbers.random()) * WEEKS_BACK * 7 * DAY / count) // DAY * DAY
        hour = numbers.choices(range(24), [usual + 0.1 for usual in HOURS])[0]
        found.append(day + hour * HOUR - offset + numbers.randrange(3_600))
    return sorted(found)


def text_of(seed: str, position: int) -> str:
    start = generator("texts", seed).randrange(len(TEXTS))
    return TEXTS[(start + position) % len(TEXTS)]


def picture_name(seed: str, width: int, height: int) -> str:
    """Drawn when somebody asks for it."""
    return f"elsewhere-{seed}-{width}x{height}.jpg"
