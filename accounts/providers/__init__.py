"""The providers, by the key that a Grant carries."""

from accounts.providers.base import Provider
from accounts.providers.buffer import BufferProvider
from accounts.providers.instagram import InstagramLoginProvider
from accounts.providers.linkedin import LinkedInProvider
from accounts.providers.meta import MetaProvider

META = MetaProvider()
INSTAGRAM = InstagramLoginProvider()
LINKEDIN = LinkedInProvider()
BUFFER = BufferProvider()

PROVIDERS: dict[str, Provider] = {provider.key: provider for provider in (META, INSTAGRAM, LINKEDIN, BUFFER)}
