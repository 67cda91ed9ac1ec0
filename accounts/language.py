"""In which language people are spoken to by those who know no request: workers, and mails."""

from __future__ import annotations

from django.conf import settings
from django.utils import translation

from accounts.models import User, Workspace


def known(code: str) -> str:
    """The code while it is one of the settings; "" for one that was taken away since it was chosen."""
    return code if code in dict(settings.LANGUAGES) else ""


def language_of(workspace: Workspace) -> str:
    return known(workspace.language) or str(settings.LANGUAGE_CODE)


def speaking_to(workspace: Workspace) -> translation.override:
    """What is written inside is read by the people of this workspace. Costs no query."""
    return translation.override(language_of(workspace))


def speaking_to_person(user: User, otherwise: str) -> translation.override:
    """otherwise: the language for somebody who has chosen none."""
    return translation.override(known(user.language) or otherwise)


def speaking_to_staff() -> translation.override:
    return translation.override(settings.LANGUAGE_CODE)
