"""What of a ticket can be taken back: drafts. What is checked, approved or built is changed by its own acts."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from governance.access import reach_of
from governance.reverting import Way, is_mine
from trafficking.models import ApprovalRule, Ticket
from trafficking.renaming import save_names
from trafficking.statuses import Status

OPEN = (Status.DRAFT, Status.QA_FAILED)


def _refuse(row: Any) -> str:
    ticket = row if isinstance(row, Ticket) else row.owning_ticket()
    if ticket.status in OPEN:
        return ""
    text = _(
        "Its ticket is “%(status)s”. Withdraw it to a draft first; what is built is changed by a ticket that follows."
    )
    return text % {"status": ticket.get_status_display()}


def _save(row: Any) -> Any:
    row.save()
    return row


def _save_tree(row: Any) -> Any:
    """Names below it follow."""
    with transaction.atomic():
        row.save()
        save_names(Ticket.objects.get(pk=row.pk if isinstance(row, Ticket) else row.owning_ticket().pk))
    row.refresh_from_db(fields=["version"])
    return row


def _may_decide(user: Any, rule: ApprovalRule) -> bool:
    """Of a brand: who has it in every market. Of every brand: who has everything."""
    return reach_of(user).covers(rule.brand_id, None)


WAYS = {
    **{
        f"trafficking.{name}": Way(
            _save_tree, may=is_mine, refuse=_refuse, kept=frozenset({"status", "digest", "findings"})
        )
        for name in ("ticket", "adset", "ad")
    },
    "trafficking.approvalrule": Way(_save, may=_may_decide),
}
