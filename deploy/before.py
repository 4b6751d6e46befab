"""Everything that must hold before the first call that changes anything: plan, approval, live state, account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from django.utils import timezone

from deploy import preflight, retry
from deploy.models import Deployment
from deploy.stopping import Stop
from governance.findings import Finding, blocking
from governance.governed import unguarded
from trafficking import approvals, held, qa
from trafficking import services as tickets
from trafficking.models import Ticket
from trafficking.platforms import base
from trafficking.platforms.registry import platform
from trafficking.statuses import RUNNING, Status

if TYPE_CHECKING:
    from deploy.engine import Run

State, Kind, Type = Deployment.State, Deployment.Kind, Ticket.RequestType
#: What was checked when it was queued is checked again after this.
STALE = timedelta(seconds=30)
#: Switching off and taking away must work in an account that nothing could be built in.
_AWAY = frozenset({"pause", "archive"})


def refuse_unapproved(deployment: Deployment, ticket: Ticket, planned: Mapping[str, base.Operation]) -> None:
    """The plan must be the one that was approved, for the API as it is spoken now. Raises Stop."""
    if deployment.kind == Kind.COMPENSATE:
        _refuse_more_than_taking_back(ticket, planned.values())
        return
    if ticket.status not in RUNNING:
        raise Stop(State.CANCELLED, f"The ticket is {ticket.status}; nothing was sent.")
    plan = deployment.plan
    account = ticket.ad_account.external_id
    digest = base.plan_digest(plan.platform, plan.api_version, account, list(planned.values()), plan.basis)
    if digest != plan.digest or ticket.digest != plan.digest or tickets.approved_plan(ticket) != plan:
        raise Stop(State.FAILED, "The plan is not the one that was approved; nothing was sent.")
    if plan.api_version != platform(plan.platform).api_version:
        raise Stop(
            State.FAILED,
            f"The plan was made for API version {plan.api_version}. Submit the ticket again.",
        )


def _refuse_more_than_taking_back(ticket: Ticket, operations: Iterable[base.Operation]) -> None:
    """Taking back archives what this ticket built and what has never run: that needs nobody's approval, all else does."""
    own = {
        (row.object_type, row.external_id): row.ever_active
        for row in ticket.tree_objects().filter(ticket=ticket)
    }
    for operation in operations:
        for each in operation.objects:
            if operation.action != "archive" or own.get((each.type, each.external_id), True):
                text = f"{each.name} was not built by this ticket, or has been active: nothing was sent."
                raise Stop(State.FAILED, text)


def look(run: Run) -> None:
    """Nothing was sent yet: is everything still as it was approved, and is the account fit? Raises Stop."""
    _refuse_changed_rules(run)
    if run.ticket.request_type == Type.CREATE:
        _refuse_taken_name(run)
    else:
        _refuse_changed_live(run)
    if any(each.action not in _AWAY for each in run.planned.values()):
        _refuse_unfit_account(run)
        _rehearse(run)


def _refuse_changed_rules(run: Run) -> None:
    """For one that has waited (for its moment, for a stop): convention, rules and ticket once more."""
    deployment = run.deployment
    if timezone.now() - (deployment.checked_at or deployment.created_at) < STALE:
        return
    report = qa.check_ticket(run.ticket)
    findings = blocking(report.findings)
    if not findings and report.digest == run.plan.digest:
        unguarded(Deployment).filter(pk=deployment.pk).update(checked_at=timezone.now())
        return
    changed = approvals.changed_parts(run.plan.basis, report.basis) or ["the plan itself"]
    findings = findings or [Finding("qa.live_changed", params={"what": ", ".join(changed)})]
    raise _void(f"Changed since the approval: {', '.join(changed)}. Nothing was sent.", findings)


def _void(reason: str, findings: list[Finding]) -> Stop:
    """The approval no longer holds: the ticket goes back to whoever can mend it."""
    if not blocking(findings):
        findings = [Finding("qa.plan_changed"), *findings]
    return Stop(State.CANCELLED, reason, findings=findings, ticket_status=Status.QA_FAILED)


def _refuse_taken_name(run: Run) -> None:
    """A campaign of this name that is there already would be the second one of its name."""
    first = next((each for each in run.planned.values() if _creates_campaign(each)), None)
    if first is None:
        return
    found = run.ask(lambda: run.client.find(first, {}))
    if isinstance(found, base.NotFound):
        return
    if isinstance(found, base.Applied):
        campaign = next(each for each in first.objects if each.type == "campaign")
        params = {"name": campaign.name, "external_id": found.external_ids.get(campaign.ref, "")}
        finding = Finding("qa.name_taken", params=params)
        raise _void(finding.message, [finding])
    if isinstance(found, base.InDoubt) and found.ambiguous:
        finding = Finding(
            "qa.name_taken", params={"name": run.ticket.governed_name, "external_id": found.reason}
        )
        raise _void(finding.message, [finding])
    raise_unread(found, 1)


def _creates_campaign(operation: base.Operation) -> bool:
    return operation.action == "create" and any(each.type == "campaign" for each in operation.objects)


def raise_unread(found: Any, tries: int) -> NoReturn:
    """A read that told nothing: later, or never without a person."""
    if isinstance(found, base.NeedsAuth):
        raise Stop(State.FAILED, found.reason)
    raise Stop(State.WAITING, found.reason, retry.wait(getattr(found, "after", None), tries))


def _refuse_changed_live(run: Run) -> None:
    """The platform must still have what the plan was made for: not one call if somebody has changed it meanwhile."""
    campaign_id = next((each.external_id for each in run.held if each.type == "campaign"), "")
    lives = run.ask(lambda: run.client.read_tree(campaign_id))
    if isinstance(lives, base.NotFound):
        lives = ()
    if not isinstance(lives, tuple):
        raise_unread(lives, 1)
    expected = run.plan.basis.get("live", {})
    now = held.digests_of_lives(run.held, lives)
    different = sorted(ref for ref in set(expected) | set(now) if expected.get(ref) != now.get(ref))
    unseen = {each.ref for each in run.held if each.type not in ("campaign", "ad_set", "ad")}
    different = [ref for ref in different if ref not in unseen or ref in now]
    if not different:
        return
    held.record_live(run.ticket, lives)
    names = {each.ref: each.name for each in run.held}
    what = ", ".join(sorted(names.get(ref) or ref for ref in different))
    finding = Finding("qa.live_changed", params={"what": what})
    raise _void(finding.message, [finding])


def _refuse_unfit_account(run: Run) -> None:
    found = run.ask(lambda: preflight.check_account(run.ticket.ad_account, run.client))
    if not isinstance(found, list):
        raise_unread(found, 1)
    blocked = blocking(found)
    if blocked:
        reason = " ".join(each.message for each in blocked)
        raise Stop(State.FAILED, f"The ad account is not fit: {reason} Nothing was sent.", findings=blocked)


def _rehearse(run: Run) -> None:
    """A dry run by the platform of each call that needs nothing of an earlier one, where it has dry runs."""
    for row in run.rows:
        planned = run.planned[row.ref]
        if planned.action not in ("create", "update") or set(planned.parents) - set(run.external_ids):
            continue
        outcome = run.ask(partial(run.client.validate, planned, run.external_ids))
        if isinstance(outcome, base.Rejected):
            raise Stop(State.FAILED, f"The platform would refuse {row}: {outcome.message} Nothing was sent.")
        if isinstance(outcome, base.RetryLater | base.InDoubt | base.NeedsAuth):
            raise_unread(outcome, 1)
