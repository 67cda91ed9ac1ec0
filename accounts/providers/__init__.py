"""The providers, by the key that a Grant carries."""

from accounts.providers.base import Provider
from accounts.providers.meta import MetaProvider

META = MetaProvider()

PROVIDERS: dict[str, Provider] = {provider.key: provider for provider in (META,)}
