"""allauth finds the networks that can be connected here, because `accounts` is an installed app."""

from accounts.buffer.provider import BufferProvider
from accounts.instagram.provider import InstagramProvider
from accounts.linkedin.provider import LinkedInProvider
from accounts.meta.provider import MetaProvider

provider_classes = [MetaProvider, InstagramProvider, LinkedInProvider, BufferProvider]
