"""Built rules asked of tickets: inside QA, and in trials before they are switched on."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from campaigns.models import CampaignChannel
from governance import built_rules as governed_rules
from governance import money, rule_fields, rule_trees
from governance.findings import Finding, Message, gettext_noop
from governance.models import BuiltRule
from governance.models.rates import Rates
from governance.rule_fields import Money, RuleField, Undecided
from trafficking import held
from trafficking.models import Ticket
from trafficking.platforms.base import TicketSnapshot
from trafficking.rule_fields import Checked, Subject, is_payload, subjects
from trafficking.snapshots import ticket_snapshot

MESSAGES = {
    "rule.*": Message(gettext_noop("{message} (rule “{rule}”: {field} is {value})"), gettext_noop("{remedy}")),
    "qa.rule_undecided": Message(
        gettext_noop("The rule “{rule}” could not be asked: {why}."),
        gettext_noop("Add the exchange rate, or ask a data admin to mend the rule."),
    ),
}  # fmt: skip
#: One rule that every ad of a large ticket breaks is told often enough.
MOST_FINDINGS = 20
TRIED, MOST_TRIED, SECONDS = 200, 500, 10.0
#: Switching off and taking away must stay possible: only a rule that names the request type is asked.
_AWAY = frozenset({"PAUSE", "ARCHIVE"})


@dataclass(frozen=True, slots=True)
class InForce:
    """A definition that runs: `content` as `BuiltRule.content`."""

    public_id: str
    digest: str
    content: Mapping[str, Any]


def rules_for(ticket: Ticket) -> list[InForce]:
    """What is switched on for the ticket's brand and market, in a fixed order. One query."""
    rows = BuiltRule.objects.current().filter(status=BuiltRule.Status.ON).order_by("pk")
    found = [
        InForce(str(public_id), content["digest"], content)
        for public_id, content in rows.values_list("public_id", "in_force")
        if content
    ]
    return [each for each in found if is_for(each.content, ticket)]


def is_for(content: Mapping[str, Any], ticket: Ticket) -> bool:
    campaign = ticket.campaign
    brands, markets = content["brands"], content["markets"]
    return (not brands or campaign.brand_id in brands) and (not markets or campaign.market_id in markets)


def digests(rules: Iterable[InForce]) -> list[str]:
    """For the basis of approvals: a rule that came, went or changed voids them."""
    return [f"{each.public_id}:{each.digest}" for each in rules]


def findings_of(rules: Iterable[InForce], checked: Checked) -> list[Finding]:
    checked = _of_the_tree(checked)
    return [finding for rule in rules for finding in _asked(rule, checked)]


def _of_the_tree(checked: Checked) -> Checked:
    """A switch-on has no ad sets of its own: what is asked about is what it switches on."""
    ticket = checked.ticket
    if ticket.request_type != Ticket.RequestType.ACTIVATE or ticket.base is None:
        return checked
    tree = replace(ticket_snapshot(ticket.base), request_type=ticket.request_type)
    return replace(checked, snapshot=tree, operations=None)


def _asked(rule: InForce, checked: Checked) -> list[Finding]:
    tree = rule.content["conditions"]
    if not _may_be_asked(tree, checked.snapshot):
        return []
    try:
        found = [_finding(rule, subject, pairs) for subject, pairs in matches(tree, checked)]
    except Undecided as why:
        params = {"rule": rule.content["name"], "why": str(why.args[0])}
        return [Finding("qa.rule_undecided", "", rule.content["effect"], params)]
    return found[:MOST_FINDINGS]


def _may_be_asked(tree: Mapping[str, Any], snapshot: TicketSnapshot) -> bool:
    asks_type = any(each["field"] == "request_type" for each in rule_trees.conditions_of(tree))
    return snapshot.request_type not in _AWAY or asks_type


def matches(tree: Mapping[str, Any], checked: Checked) -> list[tuple[Subject, list[tuple[str, Any]]]]:
    """The subjects of which the whole tree is true, with the values that made it so. Raises Undecided."""
    found = []
    for subject in subjects(checked, rule_trees.level_of(tree)):
        if rule_trees.holds(tree, subject.value):
            found.append((subject, rule_trees.evidence(tree, subject.value)))
    return found


def _finding(rule: InForce, subject: Subject, pairs: list[tuple[str, Any]]) -> Finding:
    """Beside the field that tells most: the finest one, and of those the last that was written."""
    known = [(rule_fields.field(key), value) for key, value in pairs]
    about, value = max(
        enumerate(known), key=lambda each: (rule_fields.LEVELS.index(each[1][0].level), each[0])
    )[1]
    params = {
        "rule": rule.content["name"], "message": rule.content["message"], "remedy": rule.content["remedy"],
        "field": str(about.label), "value": shown(about, value), "object": subject.name,
    }  # fmt: skip
    return Finding(f"rule.{rule.public_id}", subject.path(about.path), rule.content["effect"], params)


def shown(about: RuleField, value: Any) -> str:
    """A value as people read it."""
    if value is None or value == "" or (isinstance(value, list | tuple) and not value):
        return gettext("empty")
    if isinstance(value, Money):
        return money.shown(value.amount, value.currency)
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list | tuple):
        texts = [about.name_of(str(each)) for each in value[:10]]
        return ", ".join(texts) + (" …" if len(value) > 10 else "")
    text = about.name_of(str(value))
    return text if len(text) <= 120 else f"{text[:119]}…"


# -------------------------------------------------------------------------------------------- trial


@dataclass(frozen=True, slots=True)
class Hit:
    ticket: Ticket
    matched: list[tuple[str, str, str]]  # object, field, value


@dataclass
class Trial:
    """What the rule would have said of the newest tickets that the person sees."""

    seen: int = 0
    hits: list[Hit] = field(default_factory=list)
    undecided: list[tuple[Ticket, str]] = field(default_factory=list)
    cut_short: bool = False


def try_rule(*, rule: BuiltRule, by: Any, most: int = TRIED, seconds: float = SECONDS) -> Trial:
    """Ask the working definition of the newest `most` tickets of the person's within its scope, and record that.

    Bounded by count and time; a fixed number of queries, and some for each ticket whose payload is asked about.
    """
    if not by.has_perm("governance.view_builtrule"):
        raise PermissionDenied
    digest, tree = rule.digest, rule.conditions
    until = time.monotonic() + seconds
    trial = Trial()
    rates = Rates(timezone.localdate())
    for ticket, snapshot in _recent(rule, by, min(max(most, 1), MOST_TRIED)):
        if time.monotonic() > until:
            trial.cut_short = True
            break
        trial.seen += 1
        _try_on(tree, ticket, snapshot, rates, trial)
    if by.has_perm(governed_rules.CHANGE) and governed_rules.may_change(by, rule):
        governed_rules.record_trial(rule=rule, by=by, digest=digest, seen=trial.seen, hits=len(trial.hits))
    return trial


def _try_on(
    tree: Mapping[str, Any], ticket: Ticket, snapshot: TicketSnapshot, rates: Rates, trial: Trial
) -> None:
    if not _may_be_asked(tree, snapshot):
        return
    files = tuple(held.files_of(ticket)) if _asks_payload(tree) else ()
    try:
        found = matches(tree, Checked(ticket, snapshot, rates, files))
    except Undecided as why:
        trial.undecided.append((ticket, str(why.args[0])))
        return
    if found:
        trial.hits.append(
            Hit(ticket, [_told(subject, pair) for subject, pairs in found[:3] for pair in pairs[:6]])
        )


def _told(subject: Subject, pair: tuple[str, Any]) -> tuple[str, str, str]:
    known = rule_fields.field(pair[0])
    return subject.name, str(known.label), shown(known, pair[1])


def _asks_payload(tree: Mapping[str, Any]) -> bool:
    return any(is_payload(each["field"]) for each in rule_trees.conditions_of(tree))


def _recent(rule: BuiltRule, by: Any, most: int) -> Iterable[tuple[Ticket, TicketSnapshot]]:
    rows = list(_in_scope(rule, by)[:most])
    pairs = {(each.campaign_id, each.channel_id) for each in rows}
    names = CampaignChannel.objects.select_related("convention").filter(
        campaign_id__in={each[0] for each in pairs}
    )
    governed = {(each.campaign_id, each.channel_id): each for each in names}
    for ticket in rows:
        tree = _tree_of(ticket)
        snapshot = ticket_snapshot(
            tree, list(tree.ad_sets.all()), governed=governed.get((ticket.campaign_id, ticket.channel_id))
        )
        yield ticket, replace(snapshot, request_type=ticket.request_type)


def _tree_of(ticket: Ticket) -> Ticket:
    base = ticket.base
    if ticket.request_type != Ticket.RequestType.ACTIVATE or base is None:
        return ticket
    base.campaign, base.channel, base.ad_account = ticket.campaign, ticket.channel, ticket.ad_account
    return base


def _in_scope(rule: BuiltRule, by: Any) -> QuerySet[Ticket]:
    rows = Ticket.objects.visible_to(by).order_by("-id")
    if rule.brands:
        rows = rows.filter(campaign__brand_id__in=rule.brands)
    if rule.markets:
        rows = rows.filter(campaign__market_id__in=rule.markets)
    return rows.select_related(
        "campaign__brand", "campaign__market", "channel", "ad_account", "base"
    ).prefetch_related("ad_sets__ads", "base__ad_sets__ads")
