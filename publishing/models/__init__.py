from publishing.models.autosave import Autosave
from publishing.models.intake import MediaFetch, PostAssembly
from publishing.models.library import CaptionTemplate, HashtagGroup, ImageSet, ImageSetItem, MediaFile, Rendition
from publishing.models.posts import FollowUp, Post, PostMedia, Publication, PublicationEvent, Status
from publishing.models.queue import Attempt, LimitOverride, QueueEntry, RateLimitWindow
from publishing.models.webhooks import WebhookDelivery, WebhookEndpoint

__all__ = [
    "Attempt",
    "Autosave",
    "CaptionTemplate",
    "FollowUp",
    "HashtagGroup",
    "ImageSet",
    "ImageSetItem",
    "LimitOverride",
    "MediaFetch",
    "MediaFile",
    "Post",
    "PostAssembly",
    "PostMedia",
    "Publication",
    "PublicationEvent",
    "QueueEntry",
    "RateLimitWindow",
    "Rendition",
    "Status",
    "WebhookDelivery",
    "WebhookEndpoint",
]
