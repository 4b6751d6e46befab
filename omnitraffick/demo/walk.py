"""The demo plan's way: imported -> checked -> approved by a second person -> deployed, through the real services.

Where the plan stands is read from the database each time, so that an interrupted walk goes on where it stopped.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from campaigns.models import MediaPlan, MediaPlanLine
from deploy.models import Deployment
from deploy.services import start_deployment
from governance.findings import Finding
from governance.imports import import_governance
from governance.tables import Source
from omnitraffick.demo import people
from trafficking.imports.service import import_media_plan
from trafficking.models import AdSet, Ticket
from trafficking.services import approve_ticket, submit_ticket
from trafficking.statuses import Status

FOLDER = Path(__file__).parent
#: The demo's flights start this many days from today, so that the sample never gets old.
LEAD_DAYS = 7

_CHECKED = frozenset({Status.READY_FOR_API, Status.APPROVED, Status.QUEUED, Status.DEPLOYING, Status.IN_DOUBT,
                      Status.TRAFFICKED_SUCCESS, Status.FAILED})  # fmt: skip
_APPROVED = _CHECKED - {Status.READY_FOR_API}
_WITH_WORKER = frozenset({Status.QUEUED, Status.DEPLOYING})


class DemoStopped(Exception):
    """The demo can't go on; the text says what and where."""


@dataclass(slots=True)
class LineState:
    """One plan line as it stands now."""

    line: str
    platform: str
    name: str  # governed campaign name
    status: str
    problem: str = ""
    campaign_id: str = ""
    ad_set_ids: list[str] = field(default_factory=list)
    ad_ids: list[str] = field(default_factory=list)

    @property
    def checked(self) -> bool:
        return self.status in _CHECKED

    @property
    def approved(self) -> bool:
        return self.status in _APPROVED

    @property
    def deployed(self) -> bool:
        """The platform has it, and every level's id is written back."""
        ids = [self.campaign_id, *self.ad_set_ids, *self.ad_ids]
        return self.status == Status.TRAFFICKED_SUCCESS and bool(self.ad_set_ids and self.ad_ids) and all(ids)

    @property
    def over(self) -> bool:
        return bool(self.problem) or (self.status not in _WITH_WORKER and self.approved)


class Walk:
    """Takes every ticket of the demo plan one step further at a time. `problems` are by ticket's primary key."""

    def __init__(self) -> None:
        self.problems: dict[int, str] = {}

    def begin(self) -> None:
        """Vocabulary, grants and plan, where they are not in yet. Raises DemoStopped with the findings."""
        tickets = demo_tickets()
        if tickets and all(ticket.status == Status.TRAFFICKED_SUCCESS for ticket in tickets):
            return
        people.grant_reach()  # whoever has everything; those of one brand follow once there is that brand
        governance = import_governance(
            source=_source("governance.json"), user=people.user_named("data.admin")
        )
        _require(governance.findings, "governance.json")
        people.grant_reach()
        planned = import_media_plan(
            source=_source("plan.csv"), creatives=_source("creatives.csv"), user=people.user_named("planner"),
            start_on=first_day(),
        )  # fmt: skip
        _require(planned.findings, "plan.csv, creatives.csv")

    def steps(self) -> Iterator[str]:
        """One line of progress after each thing that somebody did. Ends when the rest is the worker's."""
        for act in (self._submit, self._approve, self._deploy):
            for ticket in demo_tickets():
                if ticket.pk in self.problems:
                    continue
                try:
                    done = act(ticket)
                except ValidationError as error:
                    self.problems[ticket.pk] = " ".join(error.messages)
                    done = self.problems[ticket.pk]
                if done:
                    yield f"{ticket.governed_name}: {done}"

    def _submit(self, ticket: Ticket) -> str:
        if ticket.status not in (Status.DRAFT, Status.QA_FAILED):
            return ""
        report = submit_ticket(ticket=ticket, by=people.user_named("trafficker"))
        if report.passed:
            return "QA passed"
        self.problems[ticket.pk] = "; ".join(_words(each) for each in report.findings if each.blocking)
        return f"QA failed: {self.problems[ticket.pk]}"

    def _approve(self, ticket: Ticket) -> str:
        if ticket.status != Status.READY_FOR_API:
            return ""
        approve_ticket(
            ticket=ticket, by=people.user_named("approver"), digest=ticket.digest, comment="Demo: plan read."
        )
        return "approved"

    def _deploy(self, ticket: Ticket) -> str:
        if ticket.status not in (Status.APPROVED, Status.FAILED):
            return ""
        start_deployment(ticket=ticket, by=people.user_named("trafficker"))
        return "handed to the worker"

    def lines(self) -> list[LineState]:
        """Every line of the plan, as the database has it now."""
        return _line_states(self.problems)


def _source(name: str) -> Source:
    return Source.from_path(FOLDER / name)


def _require(findings: Iterable[Finding], where: str) -> None:
    stopping = [_words(each) for each in findings if each.blocking]
    if stopping:
        raise DemoStopped(f"{where}: " + "; ".join(stopping[:10]))


def _words(finding: Finding) -> str:
    where = f"{finding.field}: " if finding.field else ""
    return f"{where}{finding.message} {finding.remedy}".strip()


def demo_plan() -> MediaPlan | None:
    with (FOLDER / "plan.csv").open(newline="", encoding="utf-8-sig") as file:
        first = next(csv.DictReader(file))
    return MediaPlan.objects.filter(plan_key=first["plan_id"]).first()


def demo_tickets() -> list[Ticket]:
    plan = demo_plan()
    if plan is None:
        return []
    campaigns = plan.lines.values("campaign_id")
    return list(Ticket.objects.filter(campaign__in=campaigns).exclude(status=Status.CANCELLED).select_related(
        "campaign", "channel", "ad_account").order_by("id"))  # fmt: skip


def _line_states(problems: dict[int, str]) -> list[LineState]:
    plan = demo_plan()
    if plan is None:
        return []
    tickets = {(each.campaign_id, each.channel_id): each for each in demo_tickets()}
    intents = [line.ad_set_intent for line in plan.lines.all() if line.ad_set_intent]
    ad_sets: dict[Any, AdSet] = {
        each.intent_id: each for each in AdSet.objects.filter(intent_id__in=intents).prefetch_related("ads")
    }
    reasons = _reasons(tickets.values())
    return [
        _line_state(
            line,
            tickets[line.campaign_id, line.channel_id],
            ad_sets.get(line.ad_set_intent),
            problems,
            reasons,
        )
        for line in plan.lines.select_related("channel").order_by("position")
        if (line.campaign_id, line.channel_id) in tickets
    ]


def _reasons(tickets: Iterable[Ticket]) -> dict[int, str]:
    """Why a deployment that ended badly did, by ticket."""
    ended = Deployment.objects.filter(ticket__in=list(tickets)).order_by("id")
    return {each.ticket_id: each.reason for each in ended}


def _line_state(
    line: MediaPlanLine,
    ticket: Ticket,
    ad_set: AdSet | None,
    problems: dict[int, str],
    reasons: dict[int, str],
) -> LineState:
    problem = problems.get(ticket.pk, "")
    if ticket.status in (Status.FAILED, Status.IN_DOUBT):
        problem = reasons.get(ticket.pk, "") or ticket.get_status_display()
    ads = list(ad_set.ads.all()) if ad_set else []
    return LineState(
        line=line.line_key,
        platform=line.channel.get_platform_display(),
        name=ticket.governed_name,
        status=ticket.status,
        problem=problem,
        campaign_id=ticket.external_id,
        ad_set_ids=[ad_set.external_id] if ad_set else [],
        ad_ids=[ad.external_id for ad in ads],
    )


def first_day() -> date:
    return timezone.now().date() + timedelta(days=LEAD_DAYS)
