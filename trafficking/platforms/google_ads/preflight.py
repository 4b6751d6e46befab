"""Can this account be built in? What a few queries tell of it before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from governance.findings import Finding
from trafficking.platforms.base import Account
from trafficking.platforms.google_ads.notes import PREFIX
from trafficking.platforms.google_ads.resources import customer_id

Rows = Sequence[Mapping[str, Any]]
#: Names that a finding lists; the rest is counted.
LISTED = 10


def queries(account: Account) -> dict[str, str]:
    """What is asked, by what it is about. A first failure tells of token and permissions."""
    asked = {
        "customer": "SELECT customer.id, customer.status, customer.currency_code, customer.time_zone, "
        "customer.manager, customer.test_account FROM customer LIMIT 1",
        "billing": "SELECT billing_setup.resource_name, billing_setup.status FROM billing_setup",
        "undeclared": "SELECT campaign.id, campaign.name FROM campaign WHERE campaign.status != 'REMOVED' "
        "AND campaign.missing_eu_political_advertising_declaration = TRUE",
    }
    if account.conversion_action_id:
        asked["conversion"] = (
            "SELECT conversion_action.id, conversion_action.name, conversion_action.status FROM conversion_action "  # noqa: S608, a number
            f"WHERE conversion_action.id = {_number(account.conversion_action_id)}"
        )
    return asked


def findings(account: Account, answers: Mapping[str, Rows]) -> tuple[Finding, ...]:
    """All that is wrong, not the first."""
    customer = answers["customer"][0]["customer"] if answers["customer"] else {}
    return (
        *_customer(account, customer),
        *_billing(account, answers["billing"]),
        *_declarations(answers["undeclared"]),
        *_conversion(account, answers.get("conversion")),
    )


def _found(code: str, severity: Any = "block", **params: Any) -> Finding:
    return Finding(f"{PREFIX}preflight.{code}", "account", severity, params)


def _customer(account: Account, customer: Mapping[str, Any]) -> Iterator[Finding]:
    if not customer:
        yield _found("no_customer", account=customer_id(account))
        return
    if customer.get("status", "ENABLED") != "ENABLED":
        yield _found("not_enabled", account=customer_id(account), status=customer["status"])
    if customer.get("manager"):
        yield _found("manager", account=customer_id(account))
    if customer.get("currencyCode", account.currency) != account.currency:
        yield _found("currency", ours=account.currency, theirs=customer["currencyCode"])
    if customer.get("timeZone", account.time_zone) != account.time_zone:
        yield _found("time_zone", ours=account.time_zone, theirs=customer["timeZone"])


def _billing(account: Account, setups: Rows) -> Iterator[Finding]:
    """Without an approved billing setup ads are made, and never shown."""
    states = {str(row["billingSetup"].get("status")) for row in setups}
    if "APPROVED" not in states:
        yield _found("billing", account=customer_id(account), states=sorted(states) or ["-"])


def _declarations(campaigns: Rows) -> Iterator[Finding]:
    """Since 2026-04-01 one undeclared campaign makes Google refuse every mutate of campaigns in the account."""
    if campaigns:
        names = [str(row["campaign"].get("name", row["campaign"].get("id"))) for row in campaigns]
        yield _found("eu_political_undeclared", count=len(names), campaigns=names[:LISTED])


def _conversion(account: Account, actions: Rows | None) -> Iterator[Finding]:
    if actions is None:
        return
    states = [str(row["conversionAction"].get("status")) for row in actions]
    if states != ["ENABLED"]:
        yield _found(
            "conversion_action", conversion_action=account.conversion_action_id, state=(states or ["-"])[0]
        )


def _number(text: str) -> int:
    """An id for a query; 0, which is nobody's, for something that is none."""
    return int(text) if text.isdigit() else 0
