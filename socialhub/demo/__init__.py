"""Something to publish on a new installation: eight pictures of our own, painted for it, and their texts."""

from __future__ import annotations

from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from accounts.models import User, Workspace
from publishing.image_sets import add
from publishing.media import store_upload
from publishing.models import CaptionTemplate, HashtagGroup, ImageSet, MediaFile

FOLDER = Path(__file__).resolve().parent
TITLE = "1969 Camaro Restoration"
DETAILS = [
    ["Vehicle", "1969 Chevrolet Camaro"],
    ["Restoration", "2023-2026"],
    ["Current value", "$68,500"],
    ["Engine", "350 small block, rebuilt"],
    ["Colour", "LeMans Blue with white stripes"],
    ["Location", "Monterey, California"],
]
HASHTAGS = ["classiccars", "camaro", "1969camaro", "restoration", "musclecar", "chevrolet", "carsofinstagram"]
PICTURES = {
    "01-barn-find": "A rusty 1969 Camaro in a dim barn, with sunlight falling through the gaps between the boards.",
    "02-stripped-shell": "The stripped body on jack stands in a brick workshop, with two of its wheels in front.",
    "03-small-block": "The rebuilt V8 in orange, with chrome valve covers, on an engine stand.",
    "04-in-primer": "The car in grey primer, its windows masked with paper and blue tape.",
    "05-fresh-paint": "The freshly painted blue Camaro under the light tubes of a white spray booth.",
    "06-cockpit": "View over the wooden steering wheel and the instruments to a country road in evening sun.",
    "07-front-end": "The finished Camaro from the front at dusk, headlights on, white stripes over the blue hood.",
    "08-coast-road": "The restored blue Camaro on a coast road at sunset, the sun low over the sea.",
}
TEMPLATES = {
    "Before and after": (
        "{title}\n\nFrom a barn find to the coast road: swipe through the whole restoration of this {Vehicle}.\n\n"
        "Restoration: {Restoration}\nEngine: {Engine}\nCurrent value: {Current value}\n\n{hashtags}"
    ),
    "Short": "{Vehicle}, {Colour}. {Restoration}, {Location}.\n\n{hashtags}",
}
GROUP, GROUP_HASHTAGS = "Classic cars", ["classiccars", "vintagecars", "carrestoration", "oldschool", "garagelife"]


def make_demo(workspace: Workspace, user: User) -> ImageSet:
    """The image set with its pictures, two caption templates and a hashtag group; what is there is left as it is."""
    for name, body in TEMPLATES.items():
        CaptionTemplate.objects.get_or_create(workspace=workspace, name=name, defaults={"body": body})
    HashtagGroup.objects.get_or_create(workspace=workspace, name=GROUP, defaults={"hashtags": GROUP_HASHTAGS})
    with transaction.atomic():
        image_set, created = ImageSet.objects.get_or_create(
            workspace=workspace, title=TITLE, defaults={"details": DETAILS, "hashtags": HASHTAGS, "created_by": user}
        )
        if created:
            add(image_set, [store(workspace, user, name, alt_text) for name, alt_text in PICTURES.items()])
    return image_set


def store(workspace: Workspace, user: User, name: str, alt_text: str) -> MediaFile:
    content = (FOLDER / f"{name}.jpg").read_bytes()
    file = SimpleUploadedFile(f"{name}.jpg", content, content_type="image/jpeg")
    return store_upload(workspace, user, file, alt_text=alt_text)
