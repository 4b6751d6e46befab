"""What an account already has, by whomever it was made: read, held against the convention, scored.

An import is done in steps within the account's rate budget: the list of campaigns, then tree by tree. Where it must
wait, it is put down (`AccountWatch.inventory_left`) and goes on later; a new import starts anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from deploy import connections, throttle
from deploy.answers import storable
from deploy.models import AccountWatch, ExistingObject
from deploy.reading import Unreadable
from governance import naming
from governance.findings import Finding
from governance.models import AdAccount, Alias, Brand, Channel, Market, NamingConvention
from governance.models.aliases import Objective
from governance.nearest import Proposal, Vocabulary, nearest, unknown_parts
from trafficking.models import PlatformObject
from trafficking.models.tree import FORMATS
from trafficking.platforms import base
from trafficking.platforms.registry import platform

#: Objects that bear names of the convention, from the top.
LEVELS = ("campaign", "ad_set", "ad")
ARCHIVED = "ARCHIVED"
#: A worker that reads an inventory is believed dead after so long.
CLAIM = timedelta(minutes=10)
#: One step reads so many trees, so that no worker is held for long.
TREES_A_STEP = 20


# ------------------------------------------------------------------------------------------ reading


def visible_to(user: Any) -> QuerySet[ExistingObject]:
    """What the accounts hold that serve a brand × market of theirs."""
    return ExistingObject.objects.filter(ad_account__in=AdAccount.objects.visible_to(user).values("pk"))


def import_account(*, account: AdAccount, by: Any) -> AccountWatch:
    """Ask for everything that the account has to be read; the worker begins on commit. Raises PermissionDenied."""
    if not by.has_perm("trafficking.change_ticket"):
        raise PermissionDenied
    if not AdAccount.objects.visible_to(by).filter(pk=account.pk).exists():
        raise PermissionDenied
    watch, _new = AccountWatch.objects.get_or_create(ad_account=account)
    AccountWatch.objects.filter(pk=watch.pk).update(
        inventory_due_at=timezone.now(), inventory_left=None, problem=""
    )
    watch.refresh_from_db()
    transaction.on_commit(lambda: _enqueue(account))
    return watch


def _enqueue(account: AdAccount) -> None:
    from deploy.watch_tasks import enqueue_soon, read_inventory

    enqueue_soon(read_inventory, str(account.public_id))


def due_accounts() -> list[AdAccount]:
    """Accounts whose import is under way and should go on."""
    due = AccountWatch.objects.filter(inventory_due_at__lte=timezone.now())
    return [each.ad_account for each in due.select_related("ad_account").order_by("inventory_due_at")]


def claim(account: AdAccount) -> bool:
    """Whether this worker is the one that goes on with the import now."""
    now = timezone.now()
    due = AccountWatch.objects.filter(ad_account=account, inventory_due_at__lte=now)
    return bool(due.update(inventory_due_at=now + CLAIM))


def read_step(account: AdAccount, *, trees: int = TREES_A_STEP) -> float | None:
    """Go on with the import: seconds until the next step, None where all is read. Call only what `claim` gave."""
    watch = AccountWatch.objects.get(ad_account=account)
    try:
        _go_on(account, watch, trees)
    except Unreadable as unread:
        return _put_down(watch, unread)
    if watch.inventory_left:
        AccountWatch.objects.filter(pk=watch.pk).update(inventory_due_at=timezone.now())
        return 0.0
    AccountWatch.objects.filter(pk=watch.pk).update(
        inventory_due_at=None, inventory_at=timezone.now(), problem=""
    )
    return None


#: A refused token or an empty answer is asked again after this.
ASK_AGAIN_S = 300.0


def _put_down(watch: AccountWatch, unread: Unreadable) -> float:
    after = ASK_AGAIN_S if unread.after is None else max(1.0, unread.after)
    due = timezone.now() + timedelta(seconds=after)
    AccountWatch.objects.filter(pk=watch.pk).update(inventory_due_at=due, problem=unread.reason)
    return after


def _go_on(account: AdAccount, watch: AccountWatch, trees: int) -> None:
    reader = Reader(account)
    if watch.inventory_left is None:
        campaigns = reader.campaigns()
        record(account, campaigns)
        _forget_campaigns(account, {each.external_id for each in campaigns})
        _leave(watch, [each.external_id for each in campaigns])
    for campaign_id in list(watch.inventory_left or ())[:trees]:
        lives = reader.tree(campaign_id)
        record(account, lives)
        _forget_under(account, campaign_id, lives)
        _leave(watch, [each for each in watch.inventory_left or () if each != campaign_id])


def _leave(watch: AccountWatch, campaign_ids: Sequence[str]) -> None:
    watch.inventory_left = list(campaign_ids)
    AccountWatch.objects.filter(pk=watch.pk).update(
        inventory_left=watch.inventory_left, inventory_due_at=timezone.now() + CLAIM
    )


class Reader:
    """One account's client for reads; each answer that tells nothing becomes Unreadable."""

    def __init__(self, account: AdAccount) -> None:
        self.account = account
        try:
            self.client = connections.client_for(account, share="reads")
        except PermissionError as error:
            raise Unreadable(str(error)) from error

    def campaigns(self) -> tuple[base.Live, ...]:
        return self._told(lambda: self.client.list_campaigns())

    def tree(self, campaign_id: str) -> tuple[base.Live, ...]:
        return self._told(lambda: self.client.read_tree(campaign_id))

    def _told(self, ask: Any) -> tuple[base.Live, ...]:
        try:
            found = ask()
        except throttle.Wait as wait:
            raise Unreadable(str(wait), wait.after) from wait
        throttle.learn(self.account, self.client.usage)
        if isinstance(found, base.NotFound):
            return ()
        if not isinstance(found, tuple):
            found = storable(found, self.client.connection.credentials.values())
            raise Unreadable(found.reason, getattr(found, "after", None))
        return found


def _forget_campaigns(account: AdAccount, seen: set[str]) -> None:
    """Campaigns that the account no longer lists, with what hung under them: archived there."""
    rows = ExistingObject.objects.filter(ad_account=account)
    gone = set(rows.filter(object_type="campaign").values_list("external_id", flat=True)) - seen
    for campaign_id in gone:
        _forget_under(account, campaign_id, ())
        rows.filter(object_type="campaign", external_id=campaign_id).update(status=ARCHIVED)


def _forget_under(account: AdAccount, campaign_id: str, lives: Iterable[base.Live]) -> None:
    """What hung under the campaign and is not read any more counts as archived."""
    seen = {(each.type, each.external_id) for each in lives}
    gone = [
        row.pk for row in tree_rows(account, campaign_id) if (row.object_type, row.external_id) not in seen
    ]
    ExistingObject.objects.filter(pk__in=gone).update(status=ARCHIVED, seen_at=timezone.now())


def tree_rows(account: AdAccount, campaign_id: str) -> list[ExistingObject]:
    """The campaign's row and those of all that hangs under it, from the top, archived ones left out."""
    rows = ExistingObject.objects.filter(ad_account=account).exclude(status=ARCHIVED).order_by("pk")
    campaign = list(rows.filter(object_type="campaign", external_id=campaign_id))
    below = list(rows.filter(object_type__in=("budget", "ad_set"), parent_id=campaign_id))
    ad_sets = [each.external_id for each in below if each.object_type == "ad_set"]
    return [*campaign, *below, *rows.filter(object_type__in=("creative", "ad"), parent_id__in=ad_sets)]


# ---------------------------------------------------------------------------------------- recording


def record(account: AdAccount, lives: Sequence[base.Live]) -> None:
    """Write what was read: each object with its name held against the convention. Parents come before children."""
    order = {level: at for at, level in enumerate(LEVELS)}
    judge = Judge(account)
    governed = _governed(account, lives)
    now = timezone.now()
    with transaction.atomic():
        for live in sorted(lives, key=lambda each: order.get(each.type, len(order))):
            values = _values(live, judge, now) | {
                "governed_by_id": governed.get((live.type, live.external_id))
            }
            ExistingObject.objects.update_or_create(
                ad_account=account, object_type=live.type, external_id=live.external_id, defaults=values
            )


def _governed(account: AdAccount, lives: Iterable[base.Live]) -> dict[tuple[str, str], int]:
    """Those that are ours already."""
    ids = [each.external_id for each in lives]
    rows = PlatformObject.objects.filter(ad_account=account, external_id__in=ids).exclude(status=ARCHIVED)
    return {(kind, key): pk for kind, key, pk in rows.values_list("object_type", "external_id", "pk")}


def _values(live: base.Live, judge: Judge, now: datetime) -> dict[str, Any]:
    return {
        "parent_id": live.parent_id,
        "name": live.name,
        "status": live.status,
        "delivery": live.delivery,
        "fields": dict(live.fields),
        "seen_at": now,
        **(judge.judged(live) if live.type in LEVELS else {}),
    }


class Judge:
    """Holds names against the convention in force and the vocabulary, and proposes the nearest legal ones."""

    def __init__(self, account: AdAccount) -> None:
        self.account = account
        found = NamingConvention.in_force_or_none()
        self.convention = found.as_rules() if found else None
        self.vocabulary = vocabulary_of(account)
        self.fallback = _only_choices(account)
        channels = Channel.objects.current().filter(platform=account.platform, active=True)
        self.channels = list(channels.values_list("code", "api_identifier"))
        #: external id of a campaign or ad set -> the parts that its children must bear
        self._above: dict[str, dict[str, str]] = {}
        self._taken: dict[str, set[str]] = defaultdict(set)

    def judged(self, live: base.Live) -> dict[str, Any]:
        """Columns of ExistingObject: legal, parts, findings, proposed_name, proposed_parts. Google's ads have no name,
        so there is nothing to hold against the convention."""
        if not live.name:
            return {}
        if self.convention is None:
            return {"legal": False, "findings": [Finding("inventory.no_convention").as_dict()]}
        above = self._parts_above(live)
        parts = naming.parse(self.convention, live.type, live.name) or {}
        findings = self._findings(live, parts, above)
        own = {} if findings else parts
        proposal = Proposal("", {}) if own else self._proposal(live, above)
        self._above[live.external_id] = own or dict(proposal.parts)
        self._taken[live.parent_id].add(naming.name_key(live.name if own else proposal.name))
        missing = [
            Finding("inventory.not_guessed", "name", params={"part": part, "name": live.name}).as_dict()
            for part in proposal.missing
        ]
        return {
            "legal": bool(own),
            "parts": parts,
            "findings": [*(each.as_dict() for each in findings), *missing],
            "proposed_name": proposal.name,
            "proposed_parts": dict(proposal.parts),
        }

    def _parts_above(self, live: base.Live) -> dict[str, str]:
        if live.type == "campaign" or live.parent_id in self._above:
            return self._above.get(live.parent_id, {})
        row = ExistingObject.objects.filter(
            ad_account=self.account, external_id=live.parent_id, object_type__in=LEVELS
        ).first()
        self._above[live.parent_id] = dict((row.parts if row.legal else row.proposed_parts) if row else {})
        return self._above[live.parent_id]

    def _findings(self, live: base.Live, parts: Mapping[str, str], above: Mapping[str, str]) -> list[Finding]:
        assert self.convention is not None
        if not parts:
            params = {"name": live.name, "pattern": self.convention.patterns[live.type]}
            return [Finding("inventory.unparsable", "name", params=params)]
        found = [
            Finding("inventory.unknown_code", "name", params={"part": part, "text": parts[part]})
            for part in unknown_parts(parts, self.vocabulary)
        ]
        return found + [
            Finding(
                "inventory.other_parent",
                "name",
                params={"part": part, "text": parts[part], "expected": expected},
            )
            for part, expected in above.items()
            if parts.get(part, expected) != expected
        ]

    def _proposal(self, live: base.Live, above: Mapping[str, str]) -> Proposal:
        assert self.convention is not None
        return nearest(
            self.convention,
            live.type,
            live.name,
            self.vocabulary,
            known=above,
            fallback={**self._told_by_fields(live), **self.fallback},
            taken=self._taken[live.parent_id] | self._reserved(live),
        )

    def _told_by_fields(self, live: base.Live) -> dict[str, str]:
        """Parts that the platform's own fields say: the flight's year and month, and the channel that is bought so."""
        told: dict[str, str] = {}
        if began := moment_of(live.fields, "start"):
            told |= {"year": f"{began:%Y}", "month": f"{began:%m}"}
        bought_as = platform(self.account.platform).bought_as(live.fields) if live.type == "campaign" else ""
        channels = [code for code, identifier in self.channels if identifier == bought_as]
        return told | ({"channel": channels[0]} if len(channels) == 1 else {})

    def _reserved(self, live: base.Live) -> set[str]:
        """Names of governed campaigns: those are unique in the whole house."""
        if live.type != "campaign":
            return set()
        if not hasattr(self, "_names"):
            from campaigns.models import CampaignChannel

            own = PlatformObject.objects.filter(ad_account=self.account, object_type="campaign").values(
                "tree_id"
            )
            rows = CampaignChannel.objects.exclude(pk__in=own)
            self._names = set(rows.values_list("name_key", flat=True))
        return self._names


def vocabulary_of(account: AdAccount) -> Vocabulary:
    """All brands and markets, the platform's channels, objectives and formats, with names and aliases."""
    aliases: dict[tuple[str, str], list[str]] = defaultdict(list)
    rows = Alias.objects.current().filter(not_trafficked=False)
    for row in rows.select_related("brand", "market", "channel"):
        target = row.target
        if row.kind == Alias.Kind.OBJECTIVE:
            aliases["objective", str(target).replace("_", "")].append(row.text)
        elif row.kind != Alias.Kind.AUDIENCE:
            aliases[Alias.TARGETS[row.kind], target.code].append(row.text)
    channels = Channel.objects.current().filter(platform=account.platform)
    return Vocabulary(
        {
            "brand": _ways("brand", Brand.objects.current().values_list("code", "name"), aliases),
            "market": _ways("market", Market.objects.current().values_list("code", "name"), aliases),
            "channel": _ways("channel", channels.values_list("code", "name"), aliases),
            "objective": _ways("objective", _labels(Objective.choices), aliases),
            "format": _ways("format", _labels(FORMATS), aliases),
        }
    )


def _labels(choices: Iterable[tuple[str, Any]]) -> list[tuple[str, str]]:
    return [(value.replace("_", ""), str(label)) for value, label in choices]


def _ways(
    part: str, named: Iterable[tuple[str, str]], aliases: Mapping[tuple[str, str], list[str]]
) -> dict[str, tuple[str, ...]]:
    return {code: (name, *aliases.get((part, code), ())) for code, name in named}


def _only_choices(account: AdAccount) -> dict[str, str]:
    """What can be nothing else in this account: its one brand, its one market, its platform's one channel."""
    served = account.serves.current().values_list("brand__code", "market__code")
    channels = Channel.objects.current().filter(platform=account.platform, active=True)
    choices = {
        "brand": {brand for brand, _market in served},
        "market": {market for _brand, market in served},
        "channel": set(channels.values_list("code", flat=True)),
    }
    return {part: codes.pop() for part, codes in choices.items() if len(codes) == 1}


def moment_of(fields: Mapping[str, Any], word: str) -> datetime | None:
    """The first moment under a field whose name has the word, a start or an end: platforms write it as ISO 8601, with or
    without zone."""
    for name, value in sorted(fields.items()):
        plain = name.rpartition(".")[2].casefold().replace("_", "")
        if not isinstance(value, str) or word not in plain or not ("time" in plain or "date" in plain):
            continue
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            continue
    return None


# ------------------------------------------------------------------------------------------ the score


@dataclass(frozen=True, slots=True)
class Score:
    """How many of an account's objects on a level bear legal names; `share` is None where there are none."""

    level: str
    total: int
    legal: int
    active: int
    active_legal: int

    @property
    def share(self) -> float | None:
        return self.legal / self.total if self.total else None

    @property
    def active_share(self) -> float | None:
        return self.active_legal / self.active if self.active else None


def compliance(account: AdAccount) -> list[Score]:
    """Legal names of all that is not archived, level by level, nothing weighted."""
    running = Q(status="ACTIVE")
    rows = (
        ExistingObject.objects.filter(ad_account=account, object_type__in=LEVELS)
        .exclude(status=ARCHIVED)
        .exclude(name="")
        .values("object_type")
        .order_by("object_type")
        .annotate(
            total=Count("pk"),
            named=Count("pk", filter=Q(legal=True)),
            active=Count("pk", filter=running),
            active_named=Count("pk", filter=running & Q(legal=True)),
        )
    )
    found = {row["object_type"]: row for row in rows}
    return [
        Score(level, row["total"], row["named"], row["active"], row["active_named"])
        if (row := found.get(level))
        else Score(level, 0, 0, 0, 0)
        for level in LEVELS
    ]
