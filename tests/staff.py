"""An operator at the admin: presses a button and answers the question that follows."""

from __future__ import annotations

from dataclasses import dataclass
from html import unescape
from typing import Any

from django.db.models import Model
from django.test import Client
from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked, and what was reported after the yes."""

    question: str
    report: str


def changelist(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def change(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def ask(client: Client, model: type[Model], action: str, *rows: Model, **said: Any) -> Any:
    """The first press of the button; with confirmed="yes" the second."""
    chosen = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    return client.post(changelist(model), {**chosen, **said}, follow=True)


def press(client: Client, model: type[Model], action: str, *rows: Model, **said: Any) -> Answer:
    """Both, as a person does it."""
    question = ask(client, model, action, *rows)
    assert "admin/confirm_action.html" in [template.name for template in question.templates]
    report = ask(client, model, action, *rows, confirmed="yes", **said)
    assert (question.status_code, report.status_code) == (200, 200)
    return Answer(unescape(question.content.decode()), unescape(report.content.decode()))
