"""What the guide to the API shows: the whole path as lines to copy. A test runs them as they stand on the page.

In the examples stands https://hub.example.com; the page puts its own address there, and a day to come in place of DAY.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

HUB = "https://hub.example.com"
DAY = "2030-05-01"


def filled(code: str) -> str:
    """An example as it works here."""
    day = (timezone.now() + timedelta(days=7)).date().isoformat()
    return code.strip("\n").replace(HUB, settings.PUBLIC_BASE_URL).replace(DAY, day)


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch of the path. after: what to know of the answer."""

    key: str
    title: Any
    words: Any
    code: str
    after: Any = ""


STEPS = (
    Step(
        "prepare",
        _("Prepare"),
        _("Lines for a shell with curl and jq. Put your key where the dots are; later lines use what these define."),
        r"""
HUB=https://hub.example.com/api/social
KEY=shk_...

hub() { curl --silent --show-error --fail-with-body -H "Authorization: Bearer $KEY" "$@"; }
send() { hub -H "Content-Type: application/json" "$@"; }
""",
    ),
    Step(
        "connect",
        _("Connect accounts"),
        _(
            "A network asks a person. Open the address in any browser, allow what is asked there, and say yes on the page of "
            "ours that follows. Then connect what was allowed."
        ),
        r"""
URL=$(hub "$HUB/oauth/connect?platform=facebook" | jq -r .url)
echo "Open this within ten minutes: $URL"
read -r   # press Enter when it says that the consent is stored

hub -X POST "$HUB/connect/facebook" | jq
""",
        _(
            "Facebook and Instagram come together. Other networks: instagram_login, linkedin, and through Buffer x, threads, "
            "bluesky, mastodon, pinterest, tiktok, youtube, google_business. For those a personal key of Buffer works, too, "
            'without any browser: POST connect/x with {"key": "…"}. The networks lead back to pages of ours, none of them below '
            "/api/social/: the redirect address that each console asks for stands under Settings → Social accounts → Connect doctor."
        ),
    ),
    Step(
        "accounts",
        _("See what is connected"),
        _("The accountId of an account is what other calls name it by."),
        r"""
hub "$HUB/connected-accounts" | jq '.accounts[] | {accountId, platform, accountName, isConnected}'
""",
    ),
    Step(
        "upload",
        _("Bring an image"),
        _("An image, a video or a PDF. Files that stand on the web need not be uploaded: a post takes mediaUrls, too."),
        r"""
MEDIA=$(hub -F file=@photo.jpg -F altText="A red car in front of a garage" "$HUB/media" | jq -r .id)
""",
    ),
    Step(
        "validate",
        _("Check a post"),
        _("The checks of the composer, without saving anything: what stands in the way, account by account."),
        r"""
POST=$(jq -n --arg media "$MEDIA" '{
  content: "Restored to the last bolt.",
  hashtags: ["camaro", "garage"],
  platforms: ["facebook", "instagram"],
  captions: {instagram: "Restored to the last bolt. More pictures in our story."},
  mediaIds: [$media]
}')
send -d "$POST" "$HUB/validate" | jq '{valid, findings}'
""",
        _("Of several accounts on a network name those that you mean: accountIds in place of platforms."),
    ),
    Step(
        "draft",
        _("Write it"),
        _(
            "Without a time it is a draft. With an Idempotency-Key of yours the same request may be sent again, however it "
            "ended: there is one post."
        ),
        r"""
ID=$(send -H "Idempotency-Key: camaro-42" -d "$POST" "$HUB/posts" | jq -r .id)
""",
    ),
    Step(
        "schedule",
        _("Schedule it"),
        _("In a time zone by its name, or with an offset such as Z."),
        r"""
send -d '{"postId": "'$ID'", "scheduledAt": "2030-05-01T09:30:00", "timezone": "Europe/Berlin"}' \
  "$HUB/posts/schedule" | jq '{status, scheduledAt}'
""",
    ),
    Step(
        "change",
        _("Change it"),
        _(
            "Only the fields that are sent change. With If-Match nobody's change is written over unseen: 412 when there was "
            "another one meanwhile."
        ),
        r"""
ETAG=$(hub -o /dev/null -D - "$HUB/posts/$ID" | tr -d '\r' | awk 'tolower($1) == "etag:" {print $2}')
send -X PATCH -H "If-Match: $ETAG" -d '{"campaign": "Spring"}' "$HUB/posts/$ID" | jq '{campaign, status}'
""",
    ),
    Step(
        "publish",
        _("Send it now"),
        _("In place of waiting for its time."),
        r"""
send -d '{"postId": "'$ID'"}' "$HUB/posts/publish" | jq -r .status

until hub "$HUB/posts/$ID" | jq -e '.status | IN("published", "partly_failed", "failed")' > /dev/null
do sleep 2
done
hub "$HUB/posts/$ID" | jq '.publications[] | {platform, status, permalink, error}'
""",
        _("A webhook tells you without asking."),
    ),
    Step(
        "figures",
        _("Read figures"),
        _("What a network does not tell is null, and missing says why. It is never 0."),
        r"""
hub -X POST "$HUB/insights/sync" | jq
hub "$HUB/analytics?postId=$ID" | jq '{totalReach, totalEngagement, averageEngagementRate, platforms}'
hub "$HUB/insights?platform=facebook&period=day&days=7" | jq '{aggregates, coverage, missing}'
""",
    ),
    Step(
        "limits",
        _("What the networks still allow"),
        _("Calls are counted before they are made. What is over a limit waits by itself; nothing fails for it."),
        r"""
hub "$HUB/rate-limits" | jq '.accounts[] | {accountName, windows: [.windows[] | {endpoint, remaining, limit}]}'
""",
    ),
)

PYTHON = r"""
import time
import uuid

import requests

HUB = "https://hub.example.com/api/social"
KEY = "shk_..."

session = requests.Session()
session.headers["Authorization"] = f"Bearer {KEY}"


def hub(method, path, **more):
    while True:
        response = session.request(method, f"{HUB}/{path}", timeout=60, **more)
        if response.status_code != 429:
            break
        time.sleep(int(response.headers["Retry-After"]))
    if not response.ok:
        error = response.json()["error"]
        raise SystemExit(f"{error['code']}: {error['message']} {error.get('fields', '')}")
    return response.json() if response.content else None


# A person consents once; after that the accounts stay connected.
if not hub("GET", "connected-accounts")["total"]:
    print("Open this within ten minutes:", hub("GET", "oauth/connect", params={"platform": "facebook"})["url"])
    input("Press Enter when it says that the consent is stored. ")
    print(hub("POST", "connect/facebook"))

with open("photo.jpg", "rb") as photo:
    media = hub("POST", "media", files={"file": photo}, data={"altText": "A red car in front of a garage"})

post = hub(
    "POST",
    "posts",
    headers={"Idempotency-Key": str(uuid.uuid4())},  # kept with your own record of it, it makes repeats safe
    json={
        "content": "Restored to the last bolt.",
        "hashtags": ["camaro", "garage"],
        "platforms": ["facebook", "instagram"],
        "mediaIds": [media["id"]],
        "publishNow": True,  # or "scheduledAt": "2030-05-01T09:30:00", "timezone": "Europe/Berlin"
    },
)

while post["status"] not in ("published", "partly_failed", "failed"):
    time.sleep(2)
    post = hub("GET", f"posts/{post['id']}")
for publication in post["publications"]:
    print(publication["platform"], publication["status"], publication["permalink"], publication["error"])

figures = hub("GET", "analytics", params={"postId": post["id"]})
print("reach:", figures["totalReach"], "engagement:", figures["totalEngagement"])
"""

WEBHOOK = r'''
import base64
import hashlib
import hmac
import time

SECRET = "whsec_..."  # shown once, when the webhook is made


def is_genuine(headers, body, secret=SECRET, most_seconds=300):
    """headers: by lower-case names. body: the bytes as they came, before anything has read them as JSON."""
    age = abs(time.time() - int(headers["webhook-timestamp"]))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    given = headers["webhook-signature"].split()
    return age <= most_seconds and any(hmac.compare_digest(expected, one) for one in given)
'''


@dataclass(frozen=True, slots=True)
class Refusal:
    """A status, the codes that come with it, and what to do."""

    status: int
    codes: tuple[str, ...]
    words: Any


REFUSALS = (
    Refusal(400, ("malformed", "cursor", "idempotency_key"), _("The request cannot be read. Correct it.")),
    Refusal(401, ("unauthenticated",), _("The key is missing, unknown, expired or revoked. Make a new one.")),
    Refusal(
        403,
        ("scope", "role", "no_workspace", "csrf", "forbidden"),
        _("The key, or its person in this workspace, may not do this."),
    ),
    Refusal(404, ("not_found",), _("There is nothing there, or it belongs to another workspace.")),
    Refusal(405, ("method_not_allowed",), _("This address does not answer to that method.")),
    Refusal(
        409,
        (
            *(
                "lost_race",
                "not_editable",
                "not_deletable",
                "may_be_out",
                "files_coming",
                "files_missing",
                "too_many_files",
                "under_way",
            ),
            *("no_consent", "not_configured", "not_renewable", "too_fresh"),
        ),
        _("Something has to happen first, or has happened meanwhile. The message says what."),
    ),
    Refusal(
        409,
        ("network_limited", "network_unavailable", "network_refused", "outcome_unknown", "reconnect"),
        _(
            "A network does not play along right now. With Retry-After try again then; else the message says what to do."
        ),
    ),
    Refusal(
        409,
        ("paused", "too_many_webhooks", "too_many_sent"),
        _("This webhook takes no message now, or there are too many of them."),
    ),
    Refusal(412, ("precondition_failed",), _("It was changed since you read it. Read it again.")),
    Refusal(413, ("too_large",), _("It is larger than what is taken here.")),
    Refusal(415, ("unsupported_media_type",), _("Send JSON, with Content-Type: application/json.")),
    Refusal(
        422,
        ("invalid", "idempotency_key_reused"),
        _("It was understood and cannot be taken as it is. fields says what is wrong, field by field."),
    ),
    Refusal(429, ("too_many_requests",), _("Too many calls. Wait as many seconds as Retry-After says.")),
    Refusal(500, ("internal",), _("A fault of ours. It was noted; try again in a few minutes.")),
)
