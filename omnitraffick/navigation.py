"""The sidebar: it follows the work, and leads only where the person may go."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from deploy.models import Alert
from governance import trail_page

#: section -> (model, icon); a model whose room is not built yet is left out
SECTIONS: tuple[tuple[Any, tuple[tuple[str, str], ...]], ...] = (
    (
        _("Plan"),
        (
            ("campaigns.Campaign", "campaign"),
            ("campaigns.ImportRun", "upload_file"),
            ("campaigns.MediaPlan", "description"),
            ("campaigns.MediaPlanLine", "table_rows"),
            ("campaigns.CampaignChannel", "label"),
            ("campaigns.ColumnMapping", "view_column"),
        ),
    ),
    (
        _("Traffic"),
        (
            ("trafficking.Ticket", "confirmation_number"),
            ("trafficking.AdSet", "group_work"),
            ("trafficking.Ad", "ad"),
            ("trafficking.MediaFile", "perm_media"),
            ("trafficking.Plan", "account_tree"),
            ("trafficking.Approval", "how_to_reg"),
        ),
    ),
    (
        _("Deploy"),
        (
            ("deploy.Alert", "notifications"),
            ("deploy.Deployment", "rocket_launch"),
            ("deploy.Operation", "sync_alt"),
            ("trafficking.PlatformObject", "cloud_done"),
            ("deploy.Drift", "difference"),
            ("deploy.ExistingObject", "travel_explore"),
            ("deploy.KillSwitch", "front_hand"),
            ("deploy.MediaUpload", "cloud_upload"),
            ("django_celery_results.TaskResult", "task_alt"),
            ("django_celery_beat.PeriodicTask", "schedule"),
        ),
    ),
    (
        _("Govern"),
        (
            ("governance.Market", "public"),
            ("governance.Brand", "sell"),
            ("governance.Channel", "podcasts"),
            ("governance.AdAccount", "account_balance"),
            ("governance.NamingConvention", "match_case"),
            ("governance.QARule", "rule"),
            ("governance.BuiltRule", "account_tree"),
            ("trafficking.ApprovalRule", "approval_delegation"),
            ("governance.Alias", "translate"),
            ("governance.Audience", "groups"),
            ("governance.ExchangeRate", "currency_exchange"),
            ("governance.Webhook", "webhook"),
            ("governance.WebhookDelivery", "outgoing_mail"),
        ),
    ),
    (
        _("Copilot"),
        (
            ("copilot.GuidelineDocument", "menu_book"),
            ("copilot.CallBudget", "savings"),
            ("copilot.ModelCall", "receipt_long"),
        ),
    ),
    (
        _("People"),
        (
            ("governance.User", "person"),
            ("auth.Group", "badge"),
            ("governance.Grant", "key"),
            ("governance.ApiToken", "vpn_key"),
            ("axes.AccessAttempt", "gpp_maybe"),
        ),
    ),
)

#: A badge tells no more than this: "99+".
MOST_COUNTED = 99

#: What a list shows when it is opened from the sidebar: what there is to be done.
FIRST_SHOWN = {
    "deploy.Alert": "?seen=no",
    "deploy.Drift": "?state__exact=OPEN",
    "deploy.ExistingObject": "?object_type__exact=campaign",
}


def sections(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's sidebar: Desk, then each section with what the person may see in it."""
    desk: dict[str, Any] = {
        "title": None,
        "items": [{"title": _("Desk"), "icon": "space_dashboard", "link": reverse("admin:index")}],
    }
    if request.user.has_perm("trafficking.view_ticket"):
        desk["items"].append({"title": _("Board"), "icon": "view_kanban", "link": reverse("admin:board")})
    if request.user.has_perm("trafficking.approve_ticket"):
        waiting = {
            "title": _("My approvals"),
            "icon": "verified",
            "link": reverse("admin:trafficking_ticket_waiting"),
        }
        desk["items"].append(waiting)
    if request.user.has_perm("trafficking.add_ticket"):
        build = {
            "title": _("New ticket"),
            "icon": "add_circle",
            "link": reverse("admin:trafficking_ticket_build"),
        }
        desk["items"].append(build)
    if request.user.has_perm("deploy.engage_killswitch"):
        stop = {"title": _("Stop…"), "icon": "front_hand", "link": reverse("admin:deploy_killswitch_add")}
        desk["items"].append(stop)
    made = [_section(request, title, models) for title, models in SECTIONS]
    if trail_page.may_see(request.user):
        trail = {"title": _("Trail"), "icon": "history", "link": reverse("admin:trail")}
        next(each for each in made if each["title"] == _("Govern"))["items"].append(trail)
    return [desk, *(section for section in made if section["items"])]


def _section(request: HttpRequest, title: Any, models: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    items = [item for label, icon in models if (item := _item(request, label, icon))]
    return {"title": title, "separator": True, "collapsible": True, "items": items}


def _item(request: HttpRequest, label: str, icon: str) -> dict[str, Any] | None:
    model = apps.get_model(label)
    page = admin.site._registry.get(model)
    if page is None or not page.has_view_or_change_permission(request):
        return None
    meta = model._meta
    link = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    item = {
        "title": capfirst(meta.verbose_name_plural),
        "icon": icon,
        "link": link + FIRST_SHOWN.get(label, ""),
    }
    if label == "deploy.Alert" and (count := _open_alerts(request)):
        item |= {"badge": count, "badge_variant": "danger"}
    return item


def _open_alerts(request: HttpRequest) -> str:
    """ "" for none, "7", "99+": it stands on every page, so no more rows are read than it tells."""
    rows = Alert.objects.visible_to(request.user).open().order_by()[: MOST_COUNTED + 1]
    count = rows.count()
    return f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count or "")
