"""The ticket builder's form: one campaign, one ticket, ad sets and their ads, read from what the page sends.

Names of the page's fields are paths like those of errors, with a key of the page's own in place of the position:
`ad_sets[k2].ads[k7].headlines`. So a part keeps its fields while others are added, moved or taken away.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.forms.models import fields_for_model
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign
from governance.admin_base import AmountField, ListField
from governance.models import AdAccount, Brand, Channel, Market, User
from governance.money import MoneyField
from trafficking.admin_fields import KeywordsField, SpecialCategoriesField
from trafficking.building import TreeDraft
from trafficking.models import Ad, AdSet, Ticket
from trafficking.structured import JSONWidget, OneWidget, StructuredField, structured
from trafficking.tree_services import AdDraft, AdSetDraft

EXISTING, NEW = "existing", "new"
#: A key is made by the page; the templates of new parts carry these.
KEY = re.compile(r"[A-Za-z0-9]{1,16}\Z")
NEW_SET, NEW_AD = "newset", "newad"
#: As many ad sets and ads as the service takes, and one more for it to say so.
MOST_KEYS = 501

CAMPAIGN_FIELDS = (
    "brand",
    "market",
    "name",
    "objective",
    "budget",
    "currency",
    "budget_type",
    "start_on",
    "end_on",
)
TICKET_FIELDS = ("channel", "ad_account", "start_on", "end_on", "budget_level", "budget", "budget_type",
                 "special_ad_categories", "political")  # fmt: skip
TICKET_MORE = (
    "bid_strategy",
    "bid_amount",
    "special_ad_category_countries",
    "owner",
    "request_note",
    "payload_config",
)
AD_SET_FIELDS = ("name", "goal", "budget", "budget_type", "geo", "age_min", "age_max", "genders", "languages")
AD_SET_MORE = (
    "start_on", "end_on", "dayparts", "frequency_cap", "interests", "audiences_include", "audiences_exclude", "placements",
    "conversion_event", "billing_event", "bid_strategy", "bid_amount", "keywords", "negative_keywords", "config",
)  # fmt: skip
AD_FIELDS = ("name", "format", "landing_page", "call_to_action", "texts", "headlines", "media")
AD_MORE = ("descriptions", "long_headline", "business_name", "display_paths", "cards", "config")
#: Chosen by searching: what of it is offered depends on the platform, the objective and the channel.
SEARCHED = frozenset({"goal", "format", "call_to_action", "conversion_event", "currency"})
#: Money of a ticket is the account's: its currency stands beside it.
MONEY_FIELDS = frozenset({"budget", "bid_amount"})


class DottedForm(forms.Form):
    """Field names are paths. What must be there is asked by the models: a draft may lack much."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for each in self.fields.values():
            each.required = False
            each.widget.is_required = False

    def add_prefix(self, field_name: str) -> str:
        return f"{self.prefix}.{field_name}" if self.prefix else field_name

    @property
    def readable(self) -> dict[str, Any]:
        """Values of the fields that could be read."""
        self.errors  # noqa: B018  (cleans)
        return dict(self.cleaned_data)


def _form_field(db_field: Any, **kwargs: Any) -> forms.Field | None:
    name = db_field.name
    if made := structured(db_field):
        return made
    if name in ("config", "payload_config"):
        return StructuredField(
            widget=JSONWidget(), label=capfirst(db_field.verbose_name), help_text=db_field.help_text
        )
    if name in ("keywords", "negative_keywords"):
        text = _('One a line: [exact match], "phrase match", or broad match without marks.')
        return KeywordsField(
            label=capfirst(db_field.verbose_name), help_text=text, widget=forms.Textarea(attrs={"rows": 3})
        )
    if name == "special_ad_categories":
        text = _("A person states them. Nothing ticked means that nobody has yet, and QA will ask.")
        return SpecialCategoriesField(
            label=capfirst(db_field.verbose_name), help_text=text, widget=forms.CheckboxSelectMultiple
        )
    if name == "special_ad_category_countries":
        return ListField(between=",", label=capfirst(db_field.verbose_name), widget=forms.TextInput,
                         help_text=_("ISO codes with commas between: US, CA. Needed with a category."))  # fmt: skip
    if name == "genders":
        choices = [("FEMALE", _("Female")), ("MALE", _("Male"))]
        return forms.MultipleChoiceField(choices=choices, required=False, label=capfirst(db_field.verbose_name),
                                         help_text=_("Nothing ticked: all."), widget=forms.CheckboxSelectMultiple)  # fmt: skip
    return _plain_field(db_field)


def _plain_field(db_field: Any) -> forms.Field | None:
    if db_field.is_relation:
        return forms.ModelChoiceField(
            db_field.remote_field.model._default_manager.none(), widget=OneWidget(db_field.name), help_text=db_field.help_text,
            label=capfirst(db_field.verbose_name), required=not db_field.blank,
        )  # fmt: skip
    if isinstance(db_field, MoneyField):
        return db_field.formfield(
            form_class=AmountField, widget=forms.TextInput(attrs={"inputmode": "decimal"})
        )
    if db_field.name in SEARCHED:
        return db_field.formfield(widget=OneWidget(db_field.name))
    scheme = {"assume_scheme": "https"} if isinstance(db_field, models.URLField) else {}
    made = db_field.formfield(**scheme)
    if isinstance(made, forms.DateField):
        made.widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    if isinstance(made, forms.JSONField | forms.CharField) and isinstance(made.widget, forms.Textarea):
        made.widget.attrs["rows"] = 3
    return made


def _form_of(model: Any, names: Sequence[str]) -> type[DottedForm]:
    fields = fields_for_model(model, fields=names, formfield_callback=_form_field)
    return type(f"{model.__name__}Part", (DottedForm,), {name: fields[name] for name in names})


CampaignPart = _form_of(Campaign, CAMPAIGN_FIELDS)
TicketPart = _form_of(Ticket, (*TICKET_FIELDS, *TICKET_MORE))
AdSetPart = _form_of(AdSet, (*AD_SET_FIELDS, *AD_SET_MORE))
AdPart = _form_of(Ad, (*AD_FIELDS, *AD_MORE))


class ChoosePart(DottedForm):
    """Which campaign: one that stands, or a new one."""

    mode = forms.ChoiceField(
        choices=[(EXISTING, _("An existing campaign")), (NEW, _("A new campaign"))], initial=EXISTING
    )
    chosen = forms.ModelChoiceField(
        Campaign.objects.none(), required=False, label=_("Campaign"), widget=OneWidget("campaign"),
        help_text=_("Search by its name."),
    )  # fmt: skip


@dataclass(slots=True)
class Part:
    """An ad set or ad on the page: its fields, and the row that stands behind it."""

    form: DottedForm
    key: str
    row_id: str = ""
    version: str = ""
    ads: list[Part] = field(default_factory=list)

    @property
    def prefix(self) -> str:
        return self.form.prefix or ""


@dataclass(slots=True)
class Shown:
    """One field on the page, with what is to be said of it."""

    bound: Any
    remarks: list[dict[str, Any]]
    money: bool


class Builder:
    """The whole form. `ticket` stands already, or None; `data` is what the page sent, or None."""

    def __init__(
        self, user: Any, ticket: Ticket | None = None, data: Any = None, campaign: Campaign | None = None
    ) -> None:
        self.user, self.ticket, self.data = user, ticket, data
        self.remarks: dict[str, list[dict[str, Any]]] = {}
        self.choose = ChoosePart(data, prefix="campaign", initial=_chosen(ticket, campaign))
        self.choose.fields["chosen"].queryset = Campaign.objects.visible_to(user)  # type: ignore[attr-defined]
        self.campaign = CampaignPart(data, prefix="campaign", initial={"budget_type": "LIFETIME"})
        self.values = TicketPart(data, prefix="ticket", initial=_ticket_values(ticket, campaign, user))
        self._offer_rows()
        self.sets = self._sent_sets() if data is not None else self._standing_sets()

    def _offer_rows(self) -> None:
        rows = {
            "brand": Brand.objects.visible_to(self.user), "market": Market.objects.visible_to(self.user),
            "channel": Channel.objects.all(), "ad_account": AdAccount.objects.visible_to(self.user),
            "owner": User.objects.filter(is_active=True),
        }  # fmt: skip
        for form in (self.campaign, self.values):
            for name in rows.keys() & form.fields.keys():
                form.fields[name].queryset = rows[name]  # type: ignore[attr-defined]
        if self.ticket is not None:  # a ticket stays with its campaign and channel
            self.values.fields["channel"].disabled = True

    # --- parts

    def _standing_sets(self) -> list[Part]:
        if self.ticket is None:
            return [
                _part(
                    AdSetPart,
                    None,
                    "ad_sets[s1]",
                    "s1",
                    ads=[_part(AdPart, None, "ad_sets[s1].ads[a1]", "a1")],
                )
            ]
        rows = self.ticket.ad_sets.prefetch_related("ads")
        return [_standing_set(row, f"s{at}") for at, row in enumerate(rows, 1)]

    def _sent_sets(self) -> list[Part]:
        keys = _keys(self.data, "ad_sets")
        return [self._sent_set(key) for key in keys]

    def _sent_set(self, key: str) -> Part:
        prefix = f"ad_sets[{key}]"
        ads = [
            _sent(AdPart, self.data, f"{prefix}.ads[{each}]", each)
            for each in _keys(self.data, f"{prefix}.ads")
        ]
        made = _sent(AdSetPart, self.data, prefix, key)
        made.ads = ads
        return made

    @property
    def blank_set(self) -> Part:
        return _part(AdSetPart, None, f"ad_sets[{NEW_SET}]", NEW_SET)

    @property
    def blank_ad(self) -> Part:
        return _part(AdPart, None, f"ad_sets[{NEW_SET}].ads[{NEW_AD}]", NEW_AD)

    # --- what it says

    @property
    def makes_campaign(self) -> bool:
        return self.ticket is None and self._mode == NEW

    @property
    def _mode(self) -> str:
        return str(self.choose["mode"].value() or EXISTING)

    def versions(self) -> dict[str, int]:
        sent = {"ticket": self.data.get("version", "")}
        for part in self.parts():
            if part.row_id:
                sent[part.row_id] = part.version
        # a form without a version was not made from any row that stands
        return {key: int(text) if re.fullmatch(r"[0-9]{1,9}", str(text)) else 0 for key, text in sent.items()}

    def parts(self) -> Iterable[Part]:
        for each in self.sets:
            yield each
            yield from each.ads

    def draft(self) -> TreeDraft:
        """What the page says, with all that could not be read in `unread`."""
        unread: dict[str, list[ValidationError]] = {}
        campaign = self._campaign(unread)
        ticket = self.ticket or Ticket(owner=self.user)
        values = self.values.readable
        if self.ticket is not None:  # a ticket stays with its campaign and channel
            values.pop("channel", None)
        _take(ticket, values)
        ticket.campaign = campaign
        _unread(unread, "", self.values)
        return TreeDraft(campaign, ticket, self._drafts(unread), unread)

    def _campaign(self, unread: dict[str, list[ValidationError]]) -> Campaign:
        if self.ticket is not None:
            return self.ticket.campaign
        if self.makes_campaign:
            _unread(unread, "campaign.", self.campaign)
            made = Campaign(owner=self.user)
            _take(made, self.campaign.readable)
            return made
        chosen = self.choose.readable.get("chosen")
        if chosen is None:
            found = self.choose.errors.as_data().get("chosen")
            text = _("Choose a campaign, or make a new one.")
            unread["campaign"] = list(found or [ValidationError(text, code="required")])
        return chosen or Campaign()

    def _drafts(self, unread: dict[str, list[ValidationError]]) -> list[AdSetDraft]:
        drafts = []
        for at, part in enumerate(self.sets):
            path = f"ad_sets[{at}]"
            ads = []
            for number, ad in enumerate(part.ads):
                _unread(unread, f"{path}.ads[{number}].", ad.form)
                ads.append(
                    AdDraft(values={**_filled(Ad, ad.form.readable), "position": number}, id=_uuid(ad.row_id))
                )
            _unread(unread, f"{path}.", part.form)
            values = {**_filled(AdSet, part.form.readable), "position": at}
            drafts.append(AdSetDraft(values=values, id=_uuid(part.row_id), ads=ads))
        return drafts

    # --- what is said of it

    def place(self, path: str) -> str:
        """The page's field for the path of an error or finding; "" for what belongs to the whole."""
        found = re.match(r"ad_sets\[(\d+)\](?:\.ads\[(\d+)\])?(?:\.(\w+))?", path)
        if found:
            return self._place_in_part(*found.groups())
        if path.startswith("campaign"):
            name = path.partition(".")[2]
            return (
                f"campaign.{name}"
                if self.makes_campaign and name in self.campaign.fields
                else "campaign.chosen"
            )
        name = re.split(r"[.\[]", path)[0]
        return f"ticket.{name}" if name in self.values.fields else ""

    def _place_in_part(self, at: str, number: str | None, name: str | None) -> str:
        if int(at) >= len(self.sets):
            return ""
        part = self.sets[int(at)]
        if number is not None and int(number) < len(part.ads):
            part = part.ads[int(number)]
        return f"{part.prefix}.{name if name in part.form.fields else 'name'}"

    def tell(self, findings: Iterable[Mapping[str, Any]]) -> None:
        """Keep findings for their places."""
        for each in findings:
            self.remarks.setdefault(self.place(str(each["field"])), []).append(dict(each))

    def placed(self, findings: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Findings with the page's field of each."""
        return [{**each, "at": self.place(str(each["field"]))} for each in findings]

    def shown(self, form: DottedForm, names: Iterable[str]) -> list[Shown]:
        money = form is not self.campaign
        return [
            Shown(form[name], self.remarks.get(form.add_prefix(name), []), money and name in MONEY_FIELDS)
            for name in names
        ]


# ---------------------------------------------------------------------------------------- reading


def _chosen(ticket: Ticket | None, campaign: Campaign | None) -> dict[str, Any]:
    row = ticket.campaign if ticket is not None else campaign
    return {"mode": EXISTING, "chosen": row.pk if row is not None else None}


def _ticket_values(ticket: Ticket | None, campaign: Campaign | None, user: Any) -> dict[str, Any]:
    if ticket is not None:
        return {name: _initial(ticket, name) for name in TicketPart.base_fields}
    fresh = {"owner": user.pk, "budget_level": "AD_SET", "budget_type": "LIFETIME", "political": "UNSTATED",
             "bid_strategy": "LOWEST_COST", "payload_config": {}}  # fmt: skip
    return fresh | (
        {"start_on": campaign.start_on, "end_on": campaign.end_on} if campaign is not None else {}
    )


def _initial(row: Any, name: str) -> Any:
    field = row._meta.get_field(name)
    return getattr(row, field.attname)


def _part(kind: type[DottedForm], row: Any, prefix: str, key: str, ads: list[Part] | None = None) -> Part:
    values = {name: _initial(row, name) for name in kind.base_fields} if row is not None else None
    form = kind(prefix=prefix, initial=values)
    known = {"row_id": str(row.public_id), "version": str(row.version)} if row is not None else {}
    return Part(form, key, ads=ads or [], **known)


def _standing_set(row: AdSet, key: str) -> Part:
    prefix = f"ad_sets[{key}]"
    ads = [
        _part(AdPart, ad, f"{prefix}.ads[{key}a{at}]", f"{key}a{at}")
        for at, ad in enumerate(row.ads.all(), 1)
    ]
    return _part(AdSetPart, row, prefix, key, ads)


def _keys(data: Any, name: str) -> list[str]:
    """Each once, in the page's order."""
    return list(dict.fromkeys(key for key in data.getlist(name) if KEY.match(key)))[:MOST_KEYS]


def _sent(kind: type[DottedForm], data: Any, prefix: str, key: str) -> Part:
    form = kind(data, prefix=prefix)
    return Part(
        form, key, row_id=data.get(f"{prefix}.id", "")[:40], version=data.get(f"{prefix}.version", "")
    )


def _take(row: Any, values: Mapping[str, Any]) -> None:
    for name, value in _filled(type(row), values).items():
        setattr(row, name, value)


def _filled(model: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """An emptied field means the column's own empty value, where it has one."""
    columns = {name: model._meta.get_field(name) for name in values}
    return {
        name: columns[name].get_default() if value is None and not columns[name].null else value
        for name, value in values.items()
    }


def _unread(unread: dict[str, list[ValidationError]], path: str, form: DottedForm) -> None:
    for name, errors in form.errors.as_data().items():
        where = path.rstrip(".") if name == NON_FIELD_ERRORS else f"{path}{name}"
        unread[where or NON_FIELD_ERRORS] = list(errors)


def _uuid(text: str) -> uuid.UUID | None:
    """One that nobody has is no part of the ticket, which the service says."""
    if not text:
        return None
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)
