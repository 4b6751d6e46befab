"""/api/v1/. Paths are written without a closing slash; with one they work as well."""

from __future__ import annotations

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from campaigns.api import CampaignView
from campaigns.api_bulk import CampaignBulkView
from copilot.api import GuidelineView, SearchView
from deploy.api import DeploymentView, DeployStatusView, DeployView
from deploy.api_stops import KillSwitchView
from deploy.api_tickets import CompensateView, GiveUpView, LookAgainView
from deploy.api_watch import AlertView, DriftView, ExistingView, ImportView, InventoryView
from governance.api.exports import ExportView
from governance.api.notices import NoticeView, WebhookDeliveryView, WebhookView
from governance.api.saved_views import SavedViewView
from governance.api.tokens import ApiTokenView, TokenView
from governance.api.trail import TrailRevertView, TrailView
from governance.api.views import AdAccountView, BrandView, ChannelView, MarketView, NamingConventionView
from governance.api.viewsets import UUID_PATTERN, NotThere
from tracking.api_collector import EventsView, EventView
from trafficking.api import MediaPlanImportView, MediaPlanView, TicketView
from trafficking.api_built_rules import BuiltRuleView
from trafficking.api_bulk import BulkChangeView
from trafficking.api_imports import (
    CorrectedFileView,
    ImportCancelView,
    ImportCheckView,
    ImportColumnsView,
    ImportRowsView,
    ImportRunView,
    ImportWriteView,
)
from trafficking.api_media import MediaFileView
from trafficking.api_requests import ApprovalRuleView

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("markets", MarketView, basename="api-market")
router.register("brands", BrandView, basename="api-brand")
router.register("channels", ChannelView, basename="api-channel")
router.register("ad-accounts", AdAccountView, basename="api-ad-account")
router.register("naming-conventions", NamingConventionView, basename="api-naming-convention")
router.register("campaigns", CampaignView, basename="api-campaign")
router.register("media-plans", MediaPlanView, basename="api-media-plan")
router.register("media-files", MediaFileView, basename="api-media-file")
router.register("guidelines", GuidelineView, basename="api-guideline")
router.register("tickets", TicketView, basename="api-ticket")
router.register("approval-rules", ApprovalRuleView, basename="api-approval-rule")
router.register("qa-rules", BuiltRuleView, basename="api-qa-rule")
router.register("kill-switches", KillSwitchView, basename="api-kill-switch")
router.register("drift", DriftView, basename="api-drift")
router.register("alerts", AlertView, basename="api-alert")
router.register("notices", NoticeView, basename="api-notice")
router.register("webhooks", WebhookView, basename="api-webhook")
router.register("webhook-deliveries", WebhookDeliveryView, basename="api-webhook-delivery")
router.register("tokens", ApiTokenView, basename="api-own-token")
router.register("saved-views", SavedViewView, basename="api-saved-view")
router.register("deployments", DeploymentView, basename="api-deployment")

router.register("imports", ImportRunView, basename="api-import-run")

_IMPORT = rf"imports/(?P<id>{UUID_PATTERN})"
_ACCOUNT = rf"ad-accounts/(?P<account>{UUID_PATTERN})"
_TICKET = rf"tickets/(?P<id>{UUID_PATTERN})"

urlpatterns = [
    re_path(r"^auth/token/?$", TokenView.as_view(), name="api-token"),
    re_path(r"^media-plans/import/?$", MediaPlanImportView.as_view(), name="api-media-plan-import"),
    re_path(
        r"^trail/(?P<type>[a-z]+\.[a-z]+)/(?P<change>[0-9]{1,18})/revert/?$",
        TrailRevertView.as_view(),
        name="api-trail-revert",
    ),
    re_path(r"^trail/?$", TrailView.as_view(), name="api-trail"),
    re_path(r"^exports/?$", ExportView.as_view(), name="api-export"),
    re_path(rf"^{_IMPORT}/columns/?$", ImportColumnsView.as_view(), name="api-import-columns"),
    re_path(rf"^{_IMPORT}/check/?$", ImportCheckView.as_view(), name="api-import-check"),
    re_path(rf"^{_IMPORT}/write/?$", ImportWriteView.as_view(), name="api-import-write"),
    re_path(rf"^{_IMPORT}/cancel/?$", ImportCancelView.as_view(), name="api-import-cancel"),
    re_path(rf"^{_IMPORT}/rows/?$", ImportRowsView.as_view(), name="api-import-rows"),
    re_path(rf"^{_IMPORT}/corrected/?$", CorrectedFileView.as_view(), name="api-import-corrected"),
    re_path(r"^campaigns/bulk-changes/?$", CampaignBulkView.as_view(), name="api-campaign-bulk-changes"),
    re_path(r"^tickets/bulk-changes/?$", BulkChangeView.as_view(), name="api-ticket-bulk-changes"),
    re_path(r"^rag/search/?$", SearchView.as_view(), name="api-rag-search"),
    re_path(r"^tracking/event/?$", EventView.as_view(), name="api-tracking-event"),
    re_path(r"^tracking/events/?$", EventsView.as_view(), name="api-tracking-events"),
    re_path(r"^deploy/?$", DeployView.as_view(), name="api-deploy"),
    re_path(
        rf"^deploy/status/(?P<task_id>{UUID_PATTERN})/?$",
        DeployStatusView.as_view(),
        name="api-deploy-status",
    ),
    re_path(rf"^{_ACCOUNT}/existing/?$", ExistingView.as_view({"get": "list"}), name="api-existing"),
    re_path(rf"^{_ACCOUNT}/compliance/?$", InventoryView.as_view(), name="api-compliance"),
    re_path(rf"^{_ACCOUNT}/import/?$", ImportView.as_view(), name="api-account-import"),
    re_path(rf"^{_TICKET}/compensate/?$", CompensateView.as_view(), name="api-compensate"),
    re_path(rf"^{_TICKET}/look-again/?$", LookAgainView.as_view(), name="api-look-again"),
    re_path(rf"^{_TICKET}/give-up/?$", GiveUpView.as_view(), name="api-give-up"),
    *router.urls,
    re_path(r"", NotThere.as_view()),
]
