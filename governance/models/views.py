"""Filters that people keep by a name, for themselves or for everyone."""

from __future__ import annotations

from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, urlencode

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from governance.access import reach_of
from governance.governed import GovernedModel, GovernedQuerySet, governed_history

#: Where in a list somebody stands, and how a page was opened: no part of a filter.
PASSING = frozenset(
    {"p", "page", "all", "e", "view", "_popup", "_to_field", "_changelist_filters", "csrfmiddlewaretoken"}
)
MOST_FIELDS = 60


def kept_query(query: str) -> str:
    """The filter in a query string, in one spelling; "" for none. Raises ValidationError where it can't be read."""
    try:
        pairs = parse_qsl(query.lstrip("?"), max_num_fields=MOST_FIELDS)
    except ValueError:
        text = _("It holds more than %(most)s conditions: save a shorter filter.")
        raise ValidationError(text, code="too_long", params={"most": MOST_FIELDS}) from None
    return urlencode(sorted((name, value) for name, value in pairs if name not in PASSING))


class SavedViewQuerySet(GovernedQuerySet):
    def visible_to(self, user: Any) -> Self:
        """Their own, and what others share. A view holds conditions and no rows: what it shows is each reader's own."""
        if reach_of(user).within((None, None)) == Q(pk__in=[]):
            return self.filter(owner_id=user.pk)
        return self.filter(Q(owner_id=user.pk) | Q(shared=True))

    def on_page(self, page: str, user: Any) -> Self:
        """Those of one page with `is_default`, the person's own first."""
        chosen = DefaultView.objects.filter(user_id=user.pk, view_id=OuterRef("pk"))
        rows = self.visible_to(user).filter(page=page).annotate(is_default=Exists(chosen))
        return rows.select_related("owner").order_by("shared", "name", "pk")


class SavedView(GovernedModel):
    """The filter of one page under a name."""

    class Page(models.TextChoices):
        TICKETS = "tickets", _("Tickets")
        CAMPAIGNS = "campaigns", _("Campaigns")
        BOARD = "board", _("Board")

    REACH: ClassVar[tuple[str | None, str | None]] = (None, None)

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views", verbose_name=_("owner"),
        editable=False,
    )  # fmt: skip
    page = models.CharField(_("page"), max_length=16, choices=Page.choices)
    name = models.CharField(
        _("name"), max_length=60, help_text=_("Short: it stands on a chip above the list.")
    )
    query = models.CharField(
        _("filter"), max_length=2000, blank=True,
        help_text=_("The part of the address after the question mark: status__exact=QA_FAILED. Empty: all rows."),
    )  # fmt: skip
    shared = models.BooleanField(
        _("shared with everyone"), default=False,
        help_text=_("Everyone can choose it; each sees only rows of their own brands and markets through it."),
    )  # fmt: skip

    objects = models.Manager.from_queryset(SavedViewQuerySet)()
    history = governed_history()

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "page", "name"], name="saved_view_name_once",
                violation_error_message=_("You have a view of that name here: choose another name."),
            )
        ]  # fmt: skip
        indexes = [models.Index(fields=["page", "shared"])]

    def __str__(self) -> str:
        return self.name

    def clean_fields(self, exclude: Any = None) -> None:
        self.name = " ".join((self.name or "").split())
        try:
            self.query = kept_query(self.query or "")
        except ValidationError as refused:
            raise ValidationError({"query": refused}) from None
        super().clean_fields(exclude=exclude)


class DefaultView(models.Model):
    """Which view a person's page opens with."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    page = models.CharField(max_length=16, choices=SavedView.Page.choices)
    view = models.ForeignKey(SavedView, on_delete=models.CASCADE, related_name="defaults")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "page"], name="default_view_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.view}"
