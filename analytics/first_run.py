"""The first run of a workspace: an account, an image set, a post. What is done is read from the rows, never kept."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.models import ConnectedAccount, Workspace
from publishing.models import ImageSet, Post

STEPS = ("connect", "images", "post")


@dataclass(frozen=True, slots=True)
class Step:
    key: str
    number: int
    is_done: bool
    is_skipped: bool

    @property
    def is_open(self) -> bool:
        return not (self.is_done or self.is_skipped)


@dataclass(frozen=True, slots=True)
class FirstRun:
    steps: tuple[Step, ...]

    def step(self, key: str) -> Step:
        return next(step for step in self.steps if step.key == key)

    @property
    def current(self) -> Step | None:
        """What comes next; None for everybody who has been through it."""
        return next((step for step in self.steps if step.is_open), None)

    @property
    def is_untouched(self) -> bool:
        """Nothing is there, and nobody has said that it shall stay so."""
        return all(step.is_open for step in self.steps)

    def after(self, key: str) -> Step | None:
        """The step behind this one, whatever its state."""
        return next((step for step in self.steps if step.number == self.step(key).number + 1), None)

    def before(self, key: str) -> Step | None:
        return next((step for step in self.steps if step.number == self.step(key).number - 1), None)


def first_run(workspace: Workspace) -> FirstRun:
    """One query."""
    there = (
        Workspace.objects.filter(pk=workspace.pk)
        .annotate(
            has_account=Exists(ConnectedAccount.objects.listed().filter(workspace=OuterRef("pk"))),
            has_set=Exists(ImageSet.objects.filter(workspace=OuterRef("pk"))),
            has_post=Exists(Post.objects.filter(workspace=OuterRef("pk"))),
        )
        .values_list("has_account", "has_set", "has_post", "skipped_steps")
        .get()
    )
    skipped = there[3]
    return FirstRun(
        tuple(
            Step(key, number, is_done=is_done, is_skipped=key in skipped and not is_done)
            for number, (key, is_done) in enumerate(zip(STEPS, there[:3], strict=True), start=1)
        )
    )


@transaction.atomic
def skip(workspace: Workspace, *keys: str) -> None:
    """Nobody is led to these steps any more. Doing them stays possible."""
    row = Workspace.objects.select_for_update().get(pk=workspace.pk)
    row.skipped_steps = [key for key in STEPS if key in row.skipped_steps or key in keys]
    row.save(update_fields=["skipped_steps"])


def begin_again(workspace: Workspace) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(skipped_steps=[])
