"""A ticket again in other markets and on other channels: as drafts, with what could not be carried over told in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.models import Campaign
from campaigns.services import save_campaign
from governance import money
from governance.access import reach_of
from governance.actor import acting
from governance.models import AdAccount, Channel, Market
from trafficking.building import refusals, undone
from trafficking.models import Ad, AdSet, Ticket
from trafficking.platforms.base import Platform
from trafficking.platforms.registry import platform
from trafficking.tree_services import AdDraft, AdSetDraft, content_fields, save_tree

#: More at once can't be read before it is confirmed.
MOST_TARGETS = 60
#: Fields that hold codes; which of them a platform takes is its reference's business.
_SET_CODES = ("goal", "conversion_event", "languages", "placements")
_AD_CODES = ("format", "call_to_action")


@dataclass(frozen=True, slots=True)
class Target:
    """Where to: `account` None takes the only one that serves it."""

    market: Market
    channel: Channel
    account: AdAccount | None = None


@dataclass(slots=True)
class Clone:
    """What came, or would come, of one target. `left_out` are sentences; with `problems` it can't be made."""

    target: Target
    campaign: Campaign | None = None
    campaign_is_new: bool = False
    account: AdAccount | None = None
    ticket: Ticket | None = None
    left_out: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class CloneRefused(ValidationError):
    """Some targets can't be made, so none was. `clones` say which, and why."""

    def __init__(self, clones: Sequence[Clone]) -> None:
        lines = [
            f"{each.target.market.code} · {each.target.channel.code}: {problem}"
            for each in clones
            for problem in each.problems
        ]
        super().__init__([ValidationError(line.replace("%", "%%"), code="not_cloned") for line in lines])
        self.clones = clones


def preview_clones(*, ticket: Ticket, targets: Sequence[Target], by: Any) -> list[Clone]:
    """What `clone_ticket` would make; made and undone, so that names and rules are the real ones."""
    _require_rights(by, ticket)
    with acting(by), undone():
        clones = list(_made(ticket, targets, by))
    for each in clones:  # their rows are taken back
        each.ticket = None
    return clones


def clone_ticket(*, ticket: Ticket, targets: Sequence[Target], by: Any) -> list[Clone]:
    """A draft ticket for each target, in the market's campaign of the same name or a new one; all or none.

    Raises PermissionDenied, or CloneRefused with every target's problems.
    """
    _require_rights(by, ticket)
    with acting(by, reason=f"cloned from ticket {ticket.pk}"), transaction.atomic():
        clones = list(_made(ticket, targets, by))
        if any(each.problems for each in clones):
            raise CloneRefused(clones)
    return clones


def _require_rights(by: Any, ticket: Ticket) -> None:
    if not by.has_perms(["trafficking.view_ticket", "trafficking.add_ticket"]):
        raise PermissionDenied
    if not reach_of(by).covers(ticket.campaign.brand_id, ticket.campaign.market_id):
        raise PermissionDenied


def _made(ticket: Ticket, targets: Sequence[Target], by: Any) -> Iterator[Clone]:
    if not targets or len(targets) > MOST_TARGETS:
        text = _("Choose from 1 to %(most)s targets.") % {"most": MOST_TARGETS}
        raise ValidationError({"targets": ValidationError(text, code="targets")})
    tree = list(ticket.ad_sets.prefetch_related("ads"))
    for target in targets:
        clone = Clone(target)
        try:
            with transaction.atomic():
                _make(clone, ticket, tree, by)
        except ValidationError as refused:
            clone.ticket = None
            clone.problems = clone.problems or [_located(each) for each in refusals(refused)]
        yield clone


def _located(finding: Mapping[str, Any]) -> str:
    return f"{finding['field']}: {finding['message']}" if finding["field"] else str(finding["message"])


def _make(clone: Clone, ticket: Ticket, tree: Sequence[AdSet], by: Any) -> None:
    target, source = clone.target, ticket.campaign
    if not reach_of(by).covers(source.brand_id, target.market.pk):
        raise ValidationError(_("This market is not yours for the brand: ask a data admin for a grant."))
    clone.account = _account(target, source)
    clone.campaign = _campaign(clone, source, by)
    carried = _Carried(ticket, target, clone.account, clone.left_out)
    made = Ticket(
        campaign=clone.campaign, channel=target.channel, ad_account=clone.account, owner=by, **carried.ticket_values(clone.campaign)
    )  # fmt: skip
    clone.ticket = save_tree(ticket=made, ad_sets=[carried.ad_set(each) for each in tree])


def _account(target: Target, source: Campaign) -> AdAccount:
    serving = list(
        AdAccount.objects.serving(source.brand, target.market, target.channel.platform).order_by("name")
    )
    if target.account is not None:
        if target.account not in serving:
            raise ValidationError(_("The ad account does not serve this brand and market on this platform."))
        return target.account
    if not serving:
        text = _("No active ad account on %(platform)s serves %(brand)s in %(market)s.")
        params = {
            "platform": platform(target.channel.platform).label,
            "brand": source.brand.code,
            "market": target.market.code,
        }
        raise ValidationError(text % params)
    return serving[0]


def _campaign(clone: Clone, source: Campaign, by: Any) -> Campaign:
    """The source itself in its own market, the market's newest campaign of that name, or a new one."""
    market, channel = clone.target.market, clone.target.channel
    found: Campaign | None = source
    if market.pk != source.market_id:
        rows = Campaign.objects.current().filter(brand_id=source.brand_id, market=market, name=source.name)
        found = rows.order_by("-id").first()
    if found is None:
        clone.campaign_is_new = True
        return _new_campaign(source, market, channel, by)
    present = [each.channel for each in found.channel_names.select_related("channel")]
    if channel not in present:
        if not by.has_perm("campaigns.change_campaign"):
            raise PermissionDenied
        save_campaign(campaign=found, channels=[*present, channel])
    return found


def _new_campaign(source: Campaign, market: Market, channel: Channel, by: Any) -> Campaign:
    if not by.has_perm("campaigns.add_campaign"):
        raise PermissionDenied
    values = {
        name: getattr(source, name)
        for name in ("name", "brand", "objective", "budget", "currency", "budget_type", "start_on", "end_on")
    }
    return save_campaign(campaign=Campaign(market=market, owner=by, **values), channels=[channel])


# -------------------------------------------------------------------------------- what is carried over


def _columns(model: Any) -> list[str]:
    return [each.name for each in content_fields(model)]


@dataclass(slots=True)
class _Carried:
    """The values of a ticket on their way to another market, channel and account; losses go to `left_out`."""

    ticket: Ticket
    target: Target
    account: AdAccount
    left_out: list[str]

    @property
    def on(self) -> Platform:
        return platform(self.target.channel.platform)

    @property
    def other_platform(self) -> bool:
        return self.target.channel.platform != self.ticket.channel.platform

    @property
    def other_account(self) -> bool:
        return self.account.pk != self.ticket.ad_account_id

    def lose(self, what: str, why: str) -> None:
        text = f"{what}: {why}"
        if text not in self.left_out:
            self.left_out.append(text)

    # --- the ticket

    def ticket_values(self, campaign: Campaign) -> dict[str, Any]:
        row = self.ticket
        names = (
            "budget_level",
            "budget_type",
            "bid_strategy",
            "special_ad_categories",
            "special_ad_category_countries",
            "political",
            "request_note",
        )
        values = {name: getattr(row, name) for name in names}
        values |= self._flight(campaign)
        values |= {
            name: self._money(row, name, _("The ticket's %(field)s")) for name in ("budget", "bid_amount")
        }
        if values["budget"] is None and row.budget is not None:
            values["budget_level"] = Ticket.BudgetLevel.AD_SET  # campaign level asks for an amount
        values["payload_config"] = self._config(row.payload_config, _("Platform settings of the ticket"))
        return values

    def _flight(self, campaign: Campaign) -> dict[str, date]:
        """Within the campaign that it goes into."""
        start, end = self.ticket.start_on, self.ticket.end_on
        if start < campaign.start_on or end > campaign.end_on:
            self.lose(_("Flight"), _("it is that of the campaign there, which has other days."))
            return {"start_on": campaign.start_on, "end_on": campaign.end_on}
        return {"start_on": start, "end_on": end}

    def _money(self, row: Any, name: str, label: str) -> Any:
        amount = getattr(row, name)
        here, there = self.ticket.ad_account.currency, self.account.currency
        ratio = name == "bid_amount" and row.bid_strategy == "TARGET_ROAS"
        if amount is None or here == there or ratio:
            return amount
        why = _("%(amount)s is not carried over: the account there spends in %(currency)s. Enter it anew.")
        what = label % {"field": str(row._meta.get_field(name).verbose_name)}
        self.lose(what, why % {"amount": money.shown(amount, here), "currency": there})
        return None

    def _config(self, config: dict[str, Any], what: str) -> dict[str, Any]:
        if config and self.other_platform:
            why = _("%(names)s are settings of %(platform)s only.")
            self.lose(
                what,
                why % {"names": ", ".join(config), "platform": platform(self.ticket.channel.platform).label},
            )
            return {}
        return config

    # --- ad sets and ads

    def ad_set(self, row: AdSet) -> AdSetDraft:
        what = _("Ad set “%(name)s”, %(field)s")
        values = {name: getattr(row, name) for name in _columns(AdSet)}
        values |= self._codes(row, values, _SET_CODES, what)
        values |= self._places(row, what)
        values |= self._ids(row, ("interests",), what, lost=self.other_platform)
        values |= self._ids(row, ("audiences_include", "audiences_exclude"), what, lost=self.other_account)
        values |= self._ids(row, ("keywords", "negative_keywords"), what, lost=self._takes("keywords") == ())
        values |= {
            name: self._money(row, name, self._label(what, row, name)) for name in ("budget", "bid_amount")
        }
        if (
            any(getattr(row, name) for name in ("start_on", "end_on"))
            and self.target.market.pk != self.ticket.campaign.market_id
        ):
            values |= {"start_on": None, "end_on": None}
            self.lose(
                self._label(what, row, "start_on"),
                _("its own days are not carried to another market; it runs with the ticket."),
            )
        values["config"] = self._config(row.config, self._label(what, row, "config"))
        return AdSetDraft(values=values, ads=[self.ad(each) for each in row.ads.all()])

    def ad(self, row: Ad) -> AdDraft:
        what = _("Ad “%(name)s”, %(field)s")
        values = {name: getattr(row, name) for name in _columns(Ad)}
        values |= self._codes(row, values, _AD_CODES, what, keep=("format",))
        if self.other_account:
            values |= self._library_only(row, what)
        values["config"] = self._config(row.config, self._label(what, row, "config"))
        return AdDraft(values=values)

    def _label(self, what: str, row: Any, name: str) -> str:
        return what % {"name": row.name, "field": row._meta.get_field(name).verbose_name}

    def _takes(self, name: str) -> tuple[str, ...] | None:
        channel = self.target.channel
        return self.on.known_values(
            name, objective=self.ticket.campaign.objective, buying_type=channel.api_identifier
        )

    def _codes(
        self, row: Any, values: Mapping[str, Any], names: Sequence[str], what: str, keep: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Codes that the platform there takes. What a row must have (`keep`) stays, and QA says what to choose."""
        out: dict[str, Any] = {}
        for name in names:
            known, value = self._takes(name), values[name]
            given = value if isinstance(value, list) else [value] if value else []
            lost = [each for each in given if known is not None and each not in known]
            if not lost or not (self.other_platform or self.target.channel != self.ticket.channel):
                continue
            why = _("%(platform)s does not take %(values)s here.")
            if name in keep:
                why = _("%(platform)s does not take %(values)s here: choose another before you submit.")
            else:
                out[name] = [each for each in given if each not in lost] if isinstance(value, list) else ""
            self.lose(
                self._label(what, row, name), why % {"platform": self.on.label, "values": ", ".join(lost)}
            )
        return out

    def _places(self, row: AdSet, what: str) -> dict[str, Any]:
        """The market's own country and languages in place of the old market's; other places stay, or are told."""
        old, new = self.ticket.campaign.market, self.target.market
        geo, out = dict(row.geo), {}
        if self.other_platform:
            for name in [each for each in geo if each.endswith(("regions", "cities"))]:
                lost = ", ".join(str(each.get("name") or each.get("id")) for each in geo.pop(name))
                why = _("%(places)s are known to the other platform by its own ids.") % {"places": lost}
                self.lose(self._label(what, row, "geo"), why)
        if old.pk != new.pk:
            if geo.get("countries") == [old.country]:
                geo["countries"] = [new.country]
            elif geo:
                self.lose(self._label(what, row, "geo"), _("kept as it was: check it for the market there."))
            if row.languages and set(row.languages) <= set(old.languages):
                out["languages"] = list(new.languages)
        return {**out, "geo": geo}

    def _ids(self, row: Any, names: Sequence[str], what: str, *, lost: bool) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for name in names:
            values = getattr(row, name)
            if values and lost:
                shown = ", ".join(
                    str(each.get("name") or each.get("text") or each.get("id"))
                    if isinstance(each, dict)
                    else str(each)
                    for each in values
                )
                why = _("%(values)s are not known on %(platform)s in %(account)s.")
                self.lose(
                    self._label(what, row, name),
                    why % {"values": shown, "platform": self.on.label, "account": self.account.name},
                )
                out[name] = []
        return out

    def _library_only(self, row: Ad, what: str) -> dict[str, Any]:
        """Files of the house's own library go along; ids of the old account's library mean nothing in another."""
        out: dict[str, Any] = {}
        for name, key in (("media", "id"), ("cards", "media_id")):
            values = getattr(row, name)
            kept = [each for each in values if not each.get(key)]
            if len(kept) < len(values):
                lost = ", ".join(str(each[key]) for each in values if each.get(key))
                why = _("%(ids)s lie in the library of the other account: choose files here.") % {"ids": lost}
                self.lose(self._label(what, row, name), why)
                out[name] = kept
        return out
