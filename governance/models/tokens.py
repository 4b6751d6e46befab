"""API tokens: what each is for, how long it lives, and who made and ended it. The secret's hash is knox's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from governance.access import reach_of
from governance.governed import GovernedModel, GovernedQuerySet, governed_history
from governance.scopes import Scope

#: Characters of a token that are shown, so that its owner can tell it from others.
SHOWN = 8
STATES = (("active", _("Active")), ("expired", _("Expired")), ("revoked", _("Revoked")))


def validate_scopes(scopes: Any) -> None:
    if not isinstance(scopes, list) or not scopes:
        raise ValidationError(_("Choose at least one scope."), code="no_scope")
    unknown = [str(each) for each in scopes if each not in Scope.values]
    if unknown:
        raise ValidationError(
            _("%(scopes)s is no scope. There are: %(known)s."), code="unknown_scope",
            params={"scopes": ", ".join(unknown), "known": ", ".join(Scope.values)},
        )  # fmt: skip
    if len(set(scopes)) != len(scopes):
        raise ValidationError(_("A scope is named twice."), code="duplicate")


def may_manage_all(user: Any) -> bool:
    """Sees and ends the tokens of others: the permission, and a grant for everything (people belong to no brand)."""
    return bool(user.has_perm("governance.manage_apitoken") and reach_of(user).everything)


class ApiTokenQuerySet(GovernedQuerySet):
    def visible_to(self, user: Any) -> Self:
        """One's own; all of them for who manages them."""
        return self.all() if may_manage_all(user) else self.filter(user_id=user.pk)

    def usable(self) -> Self:
        return self.filter(revoked_at=None, expires_at__gt=timezone.now())


class ApiToken(GovernedModel):
    """One token of one person."""

    UNGOVERNED: ClassVar[frozenset[str]] = frozenset({"last_used_at", "secret"})

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens", verbose_name=_("person"),
        editable=False, help_text=_("Whose token it is: it may do no more than they may."),
    )  # fmt: skip
    name = models.CharField(
        _("name"), max_length=80,
        help_text=_("What uses it: nightly export, BI, my laptop. You will know by it what to revoke."),
    )  # fmt: skip
    scopes = models.JSONField(
        _("scopes"), default=list, validators=[validate_scopes],
        help_text=_("What it may be used for, as little as will do. It never does more than you may yourself."),
    )  # fmt: skip
    expires_at = models.DateTimeField(
        _("expires"), help_text=_("From then on it is refused. It can't be prolonged: make another one.")
    )
    starts_with = models.CharField(
        _("starts with"), max_length=SHOWN, editable=False, help_text=_("Its first characters.")
    )
    last_used_at = models.DateTimeField(
        _("last used"), null=True, editable=False, help_text=_("To the hour.")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False,
        verbose_name=_("made by"),
    )  # fmt: skip
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)
    secret = models.OneToOneField(
        "knox.AuthToken", on_delete=models.SET_NULL, null=True, editable=False, related_name="api_token",
        verbose_name=_("secret"),
    )  # fmt: skip

    objects = models.Manager.from_queryset(ApiTokenQuerySet)()
    history = governed_history(excluded_fields=["secret", "last_used_at"])

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-id"]
        permissions = [("manage_apitoken", "Can see and revoke everybody's API tokens")]

    def __str__(self) -> str:
        return f"{self.name} ({self.starts_with}…)"

    def clean(self) -> None:
        if self._state.adding and self.expires_at is not None:
            self._require_span()

    def _require_span(self) -> None:
        most = settings.API_TOKEN_MAX_DAYS
        if self.expires_at > self.created_at + timedelta(days=most):
            text = _("A token lives %(most)s days at most.")
            raise ValidationError(
                {"expires_at": ValidationError(text, code="too_long", params={"most": most})}
            )
        if self.expires_at <= self.created_at:
            raise ValidationError(
                {"expires_at": ValidationError(_("It would end before it begins."), code="past")}
            )

    @property
    def state(self) -> str:
        """ "active", "expired" or "revoked"."""
        if self.revoked_at is not None:
            return "revoked"
        return "active" if self.expires_at > timezone.now() else "expired"
