from publishing.models.autosave import Autosave
from publishing.models.library import CaptionTemplate, HashtagGroup, ImageSet, ImageSetItem, MediaFile, Rendition
from publishing.models.posts import FollowUp, Post, PostMedia, Publication, PublicationEvent, Status
from publishing.models.queue import Attempt, LimitOverride, QueueEntry, RateLimitWindow

__all__ = [
    "Attempt",
    "Autosave",
    "CaptionTemplate",
    "FollowUp",
    "HashtagGroup",
    "ImageSet",
    "ImageSetItem",
    "LimitOverride",
    "MediaFile",
    "Post",
    "PostMedia",
    "Publication",
    "PublicationEvent",
    "QueueEntry",
    "RateLimitWindow",
    "Rendition",
    "Status",
]
