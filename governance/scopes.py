"""What an API token may be used for. A scope is derived from the permission that an endpoint needs.

A scope gives nothing: it holds back. A token may do what its person may do, and of that what its scopes cover.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    READ = "read", _("Read: whatever its person may see")
    WRITE = "write", _("Write: plans, campaigns, tickets, media, saved views, notices")
    GOVERN = "govern", _("Govern: vocabulary, accounts, naming, rules, webhooks, people")
    APPROVE = "approve", _("Approve: approve and reject tickets")
    DEPLOY = "deploy", _("Deploy: send to platforms, decide on drift, stop")
    TRACKING = "tracking", _("Tracking: sources and destinations of conversions")
    COPILOT = "copilot", _("Copilot: ask it, through the API and MCP")
    TOKENS = "tokens", _("Tokens: list, make and revoke its person's tokens")


#: Actions of permissions that stand for one scope wherever they are.
_OF_ACTION = {
    "approve": Scope.APPROVE,
    "deploy": Scope.DEPLOY,
    "engage": Scope.DEPLOY,
    "decide": Scope.DEPLOY,
}
_OF_APP = {
    "campaigns": Scope.WRITE, "trafficking": Scope.WRITE, "deploy": Scope.DEPLOY, "tracking": Scope.TRACKING,
}  # fmt: skip
#: Models whose changes are another matter than their app's.
_OF_MODEL = {
    "trafficking.approvalrule": Scope.GOVERN, "governance.savedview": Scope.WRITE, "governance.notice": Scope.WRITE,
}  # fmt: skip


def scope_of(permission: str) -> Scope:
    """`app.action_model` -> the scope that a token needs for it. What nobody has thought of is `govern`."""
    app, _dot, codename = permission.partition(".")
    action, _line, model = codename.partition("_")
    if app == "copilot":  # also what it reads: asking costs
        return Scope.COPILOT
    if model == "apitoken":
        return Scope.TOKENS
    if action == "view":
        return Scope.READ
    return _OF_ACTION.get(action) or _OF_MODEL.get(f"{app}.{model}") or _OF_APP.get(app, Scope.GOVERN)
