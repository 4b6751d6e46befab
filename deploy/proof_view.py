"""The QA document of a deployment: what was wanted, what the platform has, who decided. For clients, printed or as data."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from campaigns.admin import days
from deploy.models import Deployment
from trafficking.change_lines import field_words, type_words, value_words
from trafficking.models import Approval, Ticket
from trafficking.platforms.registry import platform

COLUMNS = ("type", "name", "external_id", "status", "field", "wanted", "live", "agrees")
#: A cell that begins with one of these is a formula to spreadsheets.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def document(deployment: Deployment) -> dict[str, Any]:
    """JSON values only; `objects` is [] where nothing has been read back yet."""
    proof = deployment.proof or {}
    objects = [_object(each) for each in proof.get("objects", [])]
    differences = sum(not field["agrees"] for each in objects for field in each["fields"])
    unexpected = proof.get("unexpected", [])
    return {
        "deployment": str(deployment.public_id),
        "kind": deployment.kind,
        "state": deployment.state,
        "reason": deployment.reason,
        "digest": deployment.plan.digest,
        "platform": deployment.plan.platform,
        "api_version": deployment.plan.api_version,
        "ticket": _ticket(deployment.ticket),
        "account": _account(deployment.ticket),
        "people": _people(deployment),
        "started_at": _iso(deployment.started_at),
        "finished_at": _iso(deployment.finished_at),
        "proved_at": proof.get("at"),
        "proved": bool(proof.get("at")),
        "agrees": bool(proof.get("at")) and not differences and not unexpected,
        "fields": sum(len(each["fields"]) for each in objects),
        "differences": differences,
        "objects": objects,
        "unexpected": unexpected,
    }


def _object(entry: Mapping[str, Any]) -> dict[str, Any]:
    fields = [
        {"field": each["field"], "wanted": each["wanted"], "live": each["live"], "agrees": each["agrees"]}
        for each in entry["fields"]
    ]
    return {
        "type": entry["type"], "name": entry["name"], "external_id": entry["external_id"], "status": entry["status"],
        "agrees": all(each["agrees"] for each in fields), "fields": fields,
    }  # fmt: skip


def _ticket(ticket: Ticket) -> dict[str, Any]:
    campaign = ticket.campaign
    return {
        "id": str(ticket.public_id), "number": ticket.pk, "request_type": ticket.request_type, "note": ticket.request_note,
        "campaign": campaign.name, "governed_name": ticket.governed_name, "brand": campaign.brand.name,
        "market": campaign.market.name, "channel": ticket.channel.name, "objective": campaign.objective,
        "start_on": ticket.start_on.isoformat(), "end_on": ticket.end_on.isoformat(), "external_id": ticket.external_id,
    }  # fmt: skip


def _account(ticket: Ticket) -> dict[str, Any]:
    account = ticket.ad_account
    return {
        "name": account.name, "external_id": account.external_id, "currency": account.currency,
        "time_zone": account.time_zone, "mode": account.mode,
    }  # fmt: skip


def _people(deployment: Deployment) -> dict[str, Any]:
    ticket = deployment.ticket
    decisions = deployment.plan.approvals.exclude(decision=Approval.Decision.REJECTED).select_related("by")
    return {
        "requested_by": str(ticket.requested_by) if ticket.requested_by else None,
        "approved_by": [
            {"who": str(each.by), "at": _iso(each.at), "decision": each.decision, "comment": each.comment}
            for each in decisions.order_by("id")
        ],
        "deployed_by": str(deployment.requested_by) if deployment.requested_by else None,
    }


def _iso(at: Any) -> str | None:
    return at.isoformat() if at else None


# ---------------------------------------------------------------------------------------- as a page


def page_context(deployment: Deployment) -> dict[str, Any]:
    """For `deploy/proof.html`: the document with its values in words."""
    known = platform(deployment.plan.platform)
    account = deployment.ticket.ad_account
    found = document(deployment)
    objects = [
        {
            **each,
            "type": type_words(each["type"]),
            "fields": [
                {
                    "field": field_words(field["field"]), "agrees": field["agrees"],
                    "wanted": value_words(known, field["field"], field["wanted"], account),
                    "live": value_words(known, field["field"], field["live"], account),
                }
                for field in each["fields"]
                if not _empty(field)
            ],
            "empty": sum(_empty(field) for field in each["fields"]),
        }
        for each in found["objects"]
    ]  # fmt: skip
    ticket = deployment.ticket
    return {
        "document": found, "objects": objects, "row": deployment, "platform": known.label, "printed_at": timezone.now(),
        "flight": days(ticket.start_on, ticket.end_on), "ticket": ticket,
        "proved_at": datetime.fromisoformat(found["proved_at"]) if found["proved"] else None,
        "approvals": deployment.plan.approvals.exclude(decision=Approval.Decision.REJECTED).select_related("by"),
    }  # fmt: skip


def _empty(field: Mapping[str, Any]) -> bool:
    """Nothing was wanted and nothing is there: it agrees, and a reader need not see the line."""
    return field["wanted"] in (None, "", [], {}) and bool(field["agrees"])


# ------------------------------------------------------------------------------------------- as CSV


def as_csv(deployment: Deployment) -> str:
    """One line a field; UTF-8 text with a mark that spreadsheets know it by."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for line in _lines(deployment):
        writer.writerow([_cell(each) for each in line])
    return "\ufeff" + out.getvalue()


def _lines(deployment: Deployment) -> Iterator[tuple[Any, ...]]:
    for each in document(deployment)["objects"]:
        for field in each["fields"]:
            agrees = "yes" if field["agrees"] else "no"
            yield (
                each["type"], each["name"], each["external_id"], each["status"], field["field"], field["wanted"],
                field["live"], agrees,
            )  # fmt: skip


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return f"'{text}" if text.startswith(_FORMULA) else text
