"""Users, the workspaces that own everything, and who may do what in them."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from socialhub.time_zones import known_zones


def validate_time_zone(name: str) -> None:
    if name not in known_zones():
        raise ValidationError(
            _("“%(name)s” is not a time zone. Choose one from the list, such as Europe/Berlin."), params={"name": name}
        )


class UserManager(BaseUserManager["User"]):
    """Users are known by their e-mail address, kept in lower case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractUser):
    username = None  # type: ignore[assignment]
    email = models.EmailField(_("e-mail address"), unique=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[validate_time_zone])
    # "": what the browser asks for. Of settings.LANGUAGES, which may change without a migration.
    language = models.CharField(_("language"), max_length=10, default="", blank=True)
    # Kinds of Notification that this person wants no e-mail about. On the page they stand all the same.
    unmailed_kinds = ArrayField(models.CharField(max_length=20), default=list, blank=True)

    objects = UserManager()  # type: ignore[misc, assignment]

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Admin")
    EDITOR = "editor", _("Editor")
    VIEWER = "viewer", _("Viewer")

    @property
    def may_edit(self) -> bool:
        """Write, schedule and publish posts; manage the library."""
        return self is not Role.VIEWER

    @property
    def may_manage(self) -> bool:
        """Connect and disconnect accounts; invite people."""
        return self in (Role.OWNER, Role.ADMIN)


class Workspace(models.Model):
    """What owns everything. Each new user gets one; a user may belong to several."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=120)
    # In which workers write what people read later: reasons, notifications. "": settings.LANGUAGE_CODE
    language = models.CharField(_("language"), max_length=10, default="", blank=True)
    # Steps of the first run that somebody has skipped: connect, images, post
    skipped_steps = ArrayField(models.CharField(max_length=10), default=list, blank=True)
    # Nothing of the workspace goes out while this is set; until: when it ends by itself.
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    pause_reason = models.CharField(max_length=200, blank=True)
    paused_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    # Since when it is being deleted: nobody gets in any more, and nothing goes out.
    deleting_at = models.DateTimeField(null=True, blank=True)
    # Until then an owner can bring it back. Without it, and from then on, a worker takes it apart.
    deletion_due_at = models.DateTimeField(null=True, blank=True)
    members = models.ManyToManyField(User, through="Membership", related_name="workspaces")

    def __str__(self) -> str:
        return self.name


class MembershipQuerySet(models.QuerySet["Membership"]):
    def open(self) -> MembershipQuerySet:
        """Of workspaces that are not being deleted: the others let nobody in."""
        return self.filter(workspace__deleting_at=None)

    def closing(self) -> MembershipQuerySet:
        """Of workspaces that are being deleted and that an owner can still bring back."""
        return self.filter(workspace__deleting_at__isnull=False, workspace__deletion_due_at__gt=timezone.now())


class Membership(models.Model):
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.EDITOR)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "user"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"

    @property
    def may_edit(self) -> bool:
        return Role(self.role).may_edit

    @property
    def may_manage(self) -> bool:
        return Role(self.role).may_manage
