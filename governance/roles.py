"""Roles: groups with the permissions of a job, renewed after every migrate.

A group's permissions may be widened by an administrator; what stands here is added again, never taken.
"""

from __future__ import annotations

from typing import Any

READ = ("view",)
EDIT = ("view", "add", "change", "delete")
STOP = ("view", "engage")

VOCABULARY = (
    "governance.market", "governance.brand", "governance.channel", "governance.adaccount", "governance.adaccountserves",
    "governance.namingconvention", "governance.qarule", "governance.alias", "governance.audience",
    "governance.exchangerate", "governance.builtrule", "trafficking.approvalrule",
)  # fmt: skip
PLANNING = ("campaigns.campaign", "campaigns.mediaplan")
NAMES = ("campaigns.campaignchannel", "campaigns.mediaplanline")
#: One's own imports; what may be imported is a matter of the imported model's permissions.
IMPORTS = {"campaigns.importrun": ("view", "add")}
TICKETS = ("trafficking.ticket", "trafficking.adset", "trafficking.ad", "trafficking.mediafile")
LEDGER = (
    "trafficking.plan", "trafficking.approval", "trafficking.platformobject", "deploy.deployment", "deploy.operation",
    "deploy.alert", "deploy.drift", "deploy.existingobject", "deploy.accountwatch",
    "deploy.killswitch", "deploy.stoppedobject", "deploy.accountstop", "deploy.mediaupload",
    "tracking.conversionevent", "tracking.delivery", "tracking.refusedcount", "copilot.modelcall", "copilot.advice",
)  # fmt: skip
GUIDELINES = ("copilot.guidelinedocument", "copilot.callbudget")
CONVERSIONS = ("tracking.conversionsource", "tracking.destination")
EVERYTHING_READ: dict[str, tuple[str, ...]] = dict.fromkeys(
    (*VOCABULARY, *PLANNING, *NAMES, *TICKETS, *LEDGER, *CONVERSIONS, *GUIDELINES), READ
)
EVERYTHING_READ["governance.notice"] = READ  # their own
EVERYTHING_READ["governance.apitoken"] = (
    "view",
    "add",
    "delete",
)  # their own; nobody deletes one: it is revoked
EVERYTHING_READ["governance.savedview"] = EDIT  # their own; the service refuses somebody else's

ROLES: dict[str, dict[str, tuple[str, ...]]] = {
    "Data admin": {**EVERYTHING_READ, **IMPORTS, **dict.fromkeys((*VOCABULARY, *CONVERSIONS, *GUIDELINES), EDIT), "governance.grant": EDIT, "governance.user": READ,
                   "governance.apitoken": ("view", "add", "delete", "manage"), "governance.webhook": EDIT, "governance.webhookdelivery": READ,
                   "deploy.killswitch": STOP},
    "Planner": {**EVERYTHING_READ, **IMPORTS, **dict.fromkeys((*PLANNING, *TICKETS), EDIT)},
    "Trafficker": {
        **EVERYTHING_READ, **IMPORTS, **dict.fromkeys((*PLANNING, *TICKETS, *CONVERSIONS), EDIT),
        "trafficking.ticket": (*EDIT, "deploy"), "deploy.drift": ("view", "decide"),
        "deploy.killswitch": STOP,
    },
    "Approver": {**EVERYTHING_READ, "trafficking.ticket": ("view", "approve", "deploy"), "deploy.drift": ("view", "decide"),
                 "deploy.killswitch": STOP},
    "Analyst": EVERYTHING_READ,
}  # fmt: skip


def renew_roles(sender: Any, using: str, **_kwargs: Any) -> None:
    """After the last app's migrations: every role's group with its permissions."""
    from django.contrib.auth.models import Group, Permission

    known = {
        f"{app}.{codename}": pk
        for app, codename, pk in Permission.objects.using(using).values_list(
            "content_type__app_label", "codename", "pk"
        )
    }
    for role, models in ROLES.items():
        wanted = [
            known[key]
            for model, actions in models.items()
            for action in actions
            if (key := "{0}.{2}_{1}".format(*model.split("."), action)) in known
        ]
        group, _created = Group.objects.using(using).get_or_create(name=role)
        group.permissions.add(*wanted)
