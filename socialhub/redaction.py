"""What must not be read by anybody, taken out of texts: of errors, logs, reports.

Below everything else, platforms too: it needs nothing, so that a process which only logs loads nothing with it.
"""

from __future__ import annotations

import re

# Whoever is named in an address with a password: of a database, a broker, a mail server, a bucket.
_USER = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{1,20}://)[^\s\"'<>\\/@]+@")
_URL = re.compile(r"(https?://[^/\s\"'<>\\]+)/?[^\s\"'<>]*")
# Of Meta, the keys of our own API, the secrets of webhooks.
_TOKEN = re.compile(r"\b(?:(?:EAA|IGA|IGQ|shk_)[A-Za-z0-9_-]{16,}|whsec_[A-Za-z0-9+/=]{16,})")
_PAIR = re.compile(
    r"(?i)\b((?:access_token|refresh_token|input_token|fb_exchange_token|client_secret|appsecret_proof|code_verifier)[\"']?\s*[=:]"
    r"|(?:code|token|signature|sig)=)(\s*[\"']?)[^\s&\"',;]{6,}"
)


def redact(text: str, *secrets: str) -> str:
    """The text without tokens, secrets and everything of an address behind its host."""
    for secret in secrets:
        if len(secret) >= 8:
            text = text.replace(secret, "[…]")
    text = _USER.sub(r"\1[…]@", text)
    text = _URL.sub(r"\1/…", text)
    text = _TOKEN.sub("[…]", text)
    return _PAIR.sub(r"\1\2[…]", text)
