"""Sessions in the database, and in the cache as long as that answers.

Whoever is signed in goes on working while Redis is away. Signing in and out is not done by halves: the cache must have
heard of an end, or it would bring the session back.
"""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends import cached_db
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


class Forgiving:
    """The cache, which knows nothing while it does not answer."""

    def __init__(self, cache: BaseCache) -> None:
        self.cache = cache

    def get(self, key: str) -> Any:
        try:
            return self.cache.get(key)
        except RedisError:
            logger.debug("the cache does not answer; a session is read from the database")
            return None

    def set(self, key: str, data: Any, seconds: int) -> None:
        try:
            self.cache.set(key, data, seconds)
        except RedisError:
            logger.debug("the cache does not answer; a session is kept in the database only")

    def __contains__(self, key: str) -> bool:
        return key in self.cache

    def delete(self, key: str) -> None:
        self.cache.delete(key)


class SessionStore(cached_db.SessionStore):
    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._cache = Forgiving(caches[settings.SESSION_CACHE_ALIAS])
