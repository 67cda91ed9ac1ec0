"""From the fields of the API to the composer's form, which judges them as it judges what people type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.core.exceptions import NON_FIELD_ERRORS
from django.db.models import Prefetch
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.api.base import ApiError, ApiRequest, invalid
from accounts.models import ConnectedAccount, User
from publishing import checks, intake
from publishing.api.schemas import MediaInput, PostFields, PostInput
from publishing.checks import Finding
from publishing.compose import Composition, Intent, Target
from publishing.forms.choices import choice_field_name, chosen_text
from publishing.forms.composer import ComposerForm, accounts_of
from publishing.forms.starts import from_post, from_set
from publishing.forms.when import WhenForm
from publishing.intake import AddressRefused, Wanted
from publishing.models import ImageSet, ImageSetItem, Post, Status
from socialhub.platforms import LABELS, choices, rules
from socialhub.platforms.base import PostType
from socialhub.platforms.rule_types import Choice, ChoiceKind
from socialhub.time_zones import known_zones

Problems = dict[str, list[str]]
SPREAD = {"captions": "caption", "post_types": "type"}  # fields of the API by account, and the form's name of each
NAMES = {
    "caption": "content",
    "first_comment": "firstComment",
    "accounts": "accountIds",
    "day": "scheduledAt",
    "clock": "scheduledAt",
    "fold": "scheduledAt",
    "time_zone": "timezone",
    "alt_text": "media",
    "post_type": "postTypes",
}
# What can be said of a post before its files are here.
WITHOUT_FILES = ("accounts", "caption", "first_comment")


class Sheet:
    """The fields of a request on the composer's form. `problems` holds what the form cannot know of.

    post: the saved one that is being changed, with its parts read; what is not sent stays as it is.
    """

    def __init__(self, request: ApiRequest, wanted: PostFields, *, post: Post | None = None) -> None:
        self.request, self.wanted, self.post = request, wanted, post
        self.problems: Problems = {}
        self.accounts = accounts_of(request.workspace)
        self.values = self._start()
        self.chosen = self._chosen()
        self.asked_types: dict[UUID, PostType] = {}
        self.files: list[Wanted] = []
        self._put_texts()
        self._put_media()
        self._put_spread()
        self._put_choices()
        self.intent, self.at = self._put_time()
        self.form = ComposerForm(
            self._data(),
            workspace=request.workspace,
            user=request.user,
            post=post,
            # Files that are still to come cannot be judged, so that the form judges a draft.
            intent=Intent.DRAFT if self.files or self.intent is Intent.DRAFT else Intent.NOW,
            accounts=self.accounts,
        )
        self.form.is_valid()
        self.problems.update(self._problems_of_form())

    def composition(self) -> Composition:
        """What shall be saved, as it was sent. Raises ApiError when something of it cannot be taken."""
        if self.problems:
            raise ApiError(422, "invalid", self._sentence(), self.problems)
        made = replace(self.form.composition(), late_hours=self._late_hours())
        if not self.files:
            return made
        return replace(made, intent=Intent.DRAFT, at=self.at, targets=[self._open(target) for target in made.targets])

    def findings(self) -> list[Finding]:
        """What the rules say, of a post whose files are still to come only what holds without them."""
        if not self.files:
            return self.form.findings
        return [one for one in self.form.findings if one.field in WITHOUT_FILES and one.code != "caption_missing"]

    # What was there before

    def _start(self) -> dict[str, Any]:
        if self.post is not None:
            by_key = {account.pk: account for account in self.accounts}
            for publication in self.post.publications.all():
                publication.account = by_key[publication.account_id]
            values = from_post(self.post)
            return {**values, "accounts": list(values["accounts"]), "shown": [account.pk for account in self.accounts]}
        values = {"accounts": [], "media": [], "shown": [account.pk for account in self.accounts]}
        if isinstance(self.wanted, PostInput) and self.wanted.image_set_id:
            sets = ImageSet.objects.filter(workspace=self.request.workspace).prefetch_related(
                Prefetch("items", queryset=ImageSetItem.objects.select_related("media"))
            )
            if (image_set := sets.filter(pk=self.wanted.image_set_id).first()) is None:
                self._say("imageSetId", _("There is no such image set in this workspace."))
            else:
                started = from_set(image_set, "")
                values |= {name: started[name] for name in ("set", "media", "hashtags")}
        return values

    # Whom it is for

    def _chosen(self) -> list[ConnectedAccount]:
        wanted, by_key = self.wanted, {account.pk: account for account in self.accounts}
        if not (wanted.sent("account_ids") or wanted.sent("platforms")):
            return [by_key[pk] for pk in self.values["accounts"]]
        found: dict[UUID, ConnectedAccount] = {}
        for pk in wanted.account_ids or ():
            if pk in by_key:
                found[pk] = by_key[pk]
            else:
                self._say("accountIds", _("%(id)s is no account of this workspace.") % {"id": pk})
        for key in wanted.platforms or ():
            for account in self._on_platform(key):
                found[account.pk] = account
        self.values["accounts"] = list(found)
        return list(found.values())

    def _on_platform(self, key: str) -> list[ConnectedAccount]:
        """The account on a network; of several those that somebody has set as default. Nobody reaches more by accident."""
        there = [
            account
            for account in self.accounts
            if account.platform == key and account.status != ConnectedAccount.Status.DISCONNECTED
        ]
        meant = there if len(there) == 1 else [account for account in there if account.is_default]
        if not there:
            self._say("platforms", _("No account on %(label)s is connected.") % {"label": LABELS[key]})
        elif not meant:
            text = _("%(count)d accounts on %(label)s are connected. Name the ones you mean in accountIds.")
            self._say("platforms", text % {"count": len(there), "label": LABELS[key]})
        return meant

    # What is in it

    def _put_texts(self) -> None:
        wanted = self.wanted
        sent = {
            "caption": wanted.content,
            "link": wanted.link,
            "first_comment": wanted.first_comment,
            "campaign": wanted.campaign,
        }
        self.values.update({name: value for name, value in sent.items() if value is not None})
        if wanted.hashtags is not None:
            self.values["hashtags"] = wanted.hashtags

    def _put_media(self) -> None:
        wanted = self.wanted
        items = list(wanted.media or ())
        if wanted.media is not None and (wanted.media_ids is not None or wanted.media_urls is not None):
            self._say("media", _("Send either media, or mediaIds and mediaUrls."))
            return
        items += [MediaInput(id=pk) for pk in wanted.media_ids or ()]
        items += [MediaInput(url=url) for url in wanted.media_urls or ()]
        if wanted.media is None and wanted.media_ids is None and wanted.media_urls is None:
            return
        named = [item for item in items if item.id]
        for number, item in enumerate(items):
            if (item.id is None) == (item.url is None):
                self._say(f"media.{number}", _("A file has either an id or a url."))
            elif item.id and number >= len(named):
                self._say(f"media.{number}", _("Files with an id come before those with a url."))
        if len({item.id for item in named}) < len(named):
            self._say("media", _("A file is named twice."))
        self.values["media"] = [item.id for item in named]
        if wanted.media is not None:  # named by its id alone, a file stays as it was in this post
            for item in named:
                self._put_picture(item)
        self.files = [Wanted(item.url, item.alt_text) for item in items if item.url]
        try:
            intake.refuse(self.files)
        except AddressRefused as error:
            self._say("media" if wanted.media is not None else f"mediaUrls.{error.number}", error.message)

    def _put_picture(self, item: MediaInput) -> None:
        self.values[f"alt-{item.id}"], self.values[f"fit-{item.id}"] = item.alt_text, item.fit
        if item.focus:
            self.values[f"focus_x-{item.id}"] = round(item.focus.x * 100)
            self.values[f"focus_y-{item.id}"] = round(item.focus.y * 100)

    # What differs by account

    def _put_spread(self) -> None:
        for name, prefix in SPREAD.items():
            given: Mapping[str, Any] | None = getattr(self.wanted, name)
            if given is None:
                continue
            for account in self.accounts:
                self.values.pop(f"{prefix}-{account.pk}", None)
            for account, value in self._by_account("postTypes" if name == "post_types" else name, given):
                self.values[f"{prefix}-{account.pk}"] = str(value)
                if name == "post_types":
                    self.asked_types[account.pk] = value

    def _put_choices(self) -> None:
        """What is not chosen is as the network begins with, unless it is kept from before."""
        given = dict(self._by_account("choices", self.wanted.choices or {}, merge=True))
        for account in self.chosen:
            declared = {choice.name: choice for choice in rules.RULES[account.platform].choices}
            chosen = given.get(account, {})
            for name in chosen.keys() - declared.keys():
                known = ", ".join(declared) or _("none")
                text = _("%(label)s has no such choice. Known are: %(known)s.")
                self._say(f"choices.{account.pk}.{name}", text % {"label": LABELS[account.platform], "known": known})
            for name, choice in declared.items():
                field = choice_field_name(account.pk, choice)
                if self.wanted.choices is not None:
                    self.values.pop(field, None)
                if name in chosen:
                    self.values[field] = self._choice_value(account, choice, chosen[name])
                elif field not in self.values and choice.default and choice.default != choices.NO:
                    self.values[field] = choice.default

    def _choice_value(self, account: ConnectedAccount, choice: Choice, value: str | bool) -> str:
        if choice.kind is not ChoiceKind.FLAG:
            if isinstance(value, bool):
                self._say(f"choices.{account.pk}.{choice.name}", _("This must be a text."))
            return str(value)
        if value not in (True, False, choices.YES, choices.NO):
            self._say(f"choices.{account.pk}.{choice.name}", _("This must be true or false."))
        return "true" if value in (True, choices.YES) else "false"

    def _by_account(
        self, name: str, given: Mapping[str, Any], *, merge: bool = False
    ) -> list[tuple[ConnectedAccount, Any]]:
        """What is meant for each chosen account: said by its id, or else for its network."""
        keys = {str(account.pk) for account in self.chosen} | {account.platform for account in self.chosen}
        given = {key.lower(): value for key, value in given.items()}
        for key in given.keys() - keys:
            self._say(f"{name}.{key}", _("This is neither a chosen account nor the network of one."))
        found: list[tuple[ConnectedAccount, Any]] = []
        for account in self.chosen:
            own, shared = given.get(str(account.pk)), given.get(account.platform)
            if merge and (own is not None or shared is not None):
                found.append((account, {**(shared or {}), **(own or {})}))
            elif not merge and (own is not None or shared is not None):
                found.append((account, own if own is not None else shared))
        return found

    # When it goes out

    def _put_time(self) -> tuple[Intent, datetime | None]:
        wanted, post = self.wanted, self.post
        zone = wanted.timezone or (post.time_zone if post else self.request.user.time_zone)
        self.values["time_zone"] = zone
        if wanted.publish_now:
            if wanted.scheduled_at is not None:
                self._say("publishNow", _("A post goes out either now or at a time."))
            return Intent.NOW, None
        at = wanted.scheduled_at
        waits = post is not None and any(one.status == Status.SCHEDULED for one in post.publications.all())
        if "scheduled_at" not in wanted.model_fields_set and post and waits:
            at = post.scheduled_at
            if at is None or at <= timezone.now():
                return Intent.NOW, None
        if at is None:
            return Intent.DRAFT, None
        if zone not in known_zones():
            return Intent.SCHEDULE, None  # the form says so
        try:
            self.values |= {"when": "later", **clocks(at, ZoneInfo(zone))}
        except OverflowError:
            self._say("scheduledAt", _("Choose a date within the next two years."))
        return Intent.SCHEDULE, at if at.tzinfo else None

    # To the form and back

    def _data(self) -> QueryDict:
        data = QueryDict(mutable=True)
        for name, value in {"when": "now", **self.values, "key": self._key()}.items():
            if name == "hashtags":
                data[name] = " ".join(value)
            elif isinstance(value, list | tuple):
                data.setlist(name, [str(one) for one in value])
            elif value is not None and name not in ("image_set", "pictures"):
                data[name] = str(value)
        return data

    def _key(self) -> UUID:
        """One request makes one post, whatever dies on the way to the answer."""
        return getattr(self.request, "submission_key", None) or uuid4()

    def _problems_of_form(self) -> Problems:
        found: Problems = {place: list(texts) for place, texts in self.problems.items()}
        form = self.form
        for name, messages in errors_of(form):
            if name not in (NON_FIELD_ERRORS, "key"):
                add(found, self.place_of(name), *messages)
        if len(form.pictures) < len(form.media_ids):
            add(found, "media", _("A file is not in the library of this workspace."))
        if form.has_error(NON_FIELD_ERRORS, "nothing") and not self.files and not found:
            add(found, "content", _("There is nothing to save yet: write a caption, or add an image or a video."))
        if self.intent is not Intent.DRAFT:
            if not self.chosen:
                found.setdefault("accountIds", [_("Choose at least one account.")])
            for finding in checks.blocking(self.findings()):
                add(found, self.place_of_finding(finding), finding.message)
        if not self.files:
            self._compare_types(found)
        elif self.intent is Intent.SCHEDULE and not found:
            self._judge_time(found)
        return found

    def _judge_time(self, found: Problems) -> None:
        """The form lets a draft have any time."""
        at = self.form.cleaned_data.get("at")
        if at is None or at <= timezone.now():
            add(found, "scheduledAt", _("This time has passed. Choose a later one, or publish now."))
        else:
            self.at = at

    def _compare_types(self, found: Problems) -> None:
        """A person sees the type change with the files; a program is told that what it asked for does not fit."""
        kinds = self.form.kinds
        for account in self.chosen:
            wanted = self.asked_types.get(account.pk)
            if wanted and wanted not in checks.fitting_types(account.platform, kinds):
                text = _("%(label)s has no such type for these files.") % {"label": LABELS[account.platform]}
                add(found, f"postTypes.{account.pk}", text)

    def place_of(self, name: str) -> str:
        """A field of the form as it is called outside."""
        kind, _dash, rest = name.partition("-")
        match kind:
            case "alt" | "fit" | "focus_x" | "focus_y":
                return "media"
            case "caption" | "type" if rest:
                return f"{'captions' if kind == 'caption' else 'postTypes'}.{rest}"
            case "choice":
                return f"choices.{rest[:36]}.{rest[37:]}"
        return NAMES.get(name, name)

    def place_of_finding(self, finding: Finding) -> str:
        if finding.account and finding.field in choice_names(finding.account):
            return f"choices.{finding.account.pk}.{finding.field}"
        if finding.account and finding.field == "caption" and self.values.get(f"caption-{finding.account.pk}"):
            return f"captions.{finding.account.pk}"
        return NAMES.get(finding.field, finding.field) or "post"

    def _open(self, target: Target) -> Target:
        """The types follow from the files, and the choices from the types: all that was chosen is kept until then."""
        clean = self.form.cleaned_data
        chosen = {
            choice.name: value
            for choice in rules.RULES[target.account.platform].choices
            if (value := chosen_text(choice, clean.get(choice_field_name(target.account.pk, choice))))
        }
        return replace(target, post_type=self.asked_types.get(target.account.pk, target.post_type), choices=chosen)

    def _late_hours(self) -> int | None:
        if self.wanted.late_hours is not None or self.post is None:
            return self.wanted.late_hours
        return self.post.late_hours

    def _sentence(self) -> str:
        if self.form.has_error(NON_FIELD_ERRORS, "violations"):
            return _("This post cannot go out as it is. What has to change is listed by field.")
        return invalid({}).message

    def _say(self, place: str, text: str) -> None:
        add(self.problems, place, text)


def add(problems: Problems, place: str, *texts: object) -> None:
    """Each sentence once, however many accounts it stands against."""
    there = problems.setdefault(place, [])
    there += [text for text in map(str, texts) if text not in there]


def clocks(at: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """The fields of a time: what the clocks of the zone show then. Without an offset they show what was sent."""
    if at.tzinfo is None:
        return {"day": at.date().isoformat(), "clock": at.time().isoformat()}
    local = at.astimezone(zone)
    return {"day": local.date().isoformat(), "clock": local.time().isoformat(), "fold": local.fold}


def errors_of(form: WhenForm) -> Iterator[tuple[str, Iterable[object]]]:
    """What the form says, by its fields; and how a program answers where a person is asked."""
    yield from form.errors.items()
    if "fold" in form.errors:
        yield "fold", [_("Send it with its offset, as in 2026-10-25T02:30:00+01:00.")]


def choice_names(account: ConnectedAccount) -> set[str]:
    return {choice.name for choice in rules.RULES[account.platform].choices}


def refuse_blocked(findings: Iterable[Finding]) -> None:
    """For a saved post that shall go out as it is. Raises ApiError."""
    blocked = checks.blocking(findings)
    if not blocked:
        return
    problems: Problems = {}
    for finding in blocked:
        add(problems, NAMES.get(finding.field, finding.field) or "post", finding.message)
    raise ApiError(
        422, "invalid", _("This post cannot go out as it is. What has to change is listed by field."), problems
    )


def intended(user: User, at: datetime, zone: str) -> datetime:
    """A moment that was sent, judged as the pages judge it. Raises ApiError."""
    if zone not in known_zones():
        raise invalid({"timezone": [_("There is no such time zone. Write it as in Europe/Berlin.")]})
    try:
        form = WhenForm({"when": "later", "time_zone": zone, **clocks(at, ZoneInfo(zone))})
    except OverflowError as error:
        raise invalid({"scheduledAt": [_("Choose a date within the next two years.")]}) from error
    form.user = user
    if form.is_valid():
        form.judge_when()
    if form.errors:
        problems: Problems = {}
        for name, messages in errors_of(form):
            add(problems, NAMES.get(name, name), *messages)
        raise invalid(problems)
    moment: datetime = form.cleaned_data["at"]
    return moment
