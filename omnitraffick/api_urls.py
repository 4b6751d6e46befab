"""/api/v1/. Paths are written without a closing slash; with one they work as well."""

from __future__ import annotations

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from campaigns.api import CampaignView
from deploy.api import DeploymentView, DeployStatusView, DeployView
from governance.api.tokens import TokenView
from governance.api.views import AdAccountView, BrandView, ChannelView, MarketView, NamingConventionView
from governance.api.viewsets import UUID_PATTERN, NotThere
from trafficking.api import MediaPlanImportView, MediaPlanView, TicketView

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("markets", MarketView, basename="api-market")
router.register("brands", BrandView, basename="api-brand")
router.register("channels", ChannelView, basename="api-channel")
router.register("ad-accounts", AdAccountView, basename="api-ad-account")
router.register("naming-conventions", NamingConventionView, basename="api-naming-convention")
router.register("campaigns", CampaignView, basename="api-campaign")
router.register("media-plans", MediaPlanView, basename="api-media-plan")
router.register("tickets", TicketView, basename="api-ticket")
router.register("deployments", DeploymentView, basename="api-deployment")

urlpatterns = [
    re_path(r"^auth/token/?$", TokenView.as_view(), name="api-token"),
    re_path(r"^media-plans/import/?$", MediaPlanImportView.as_view(), name="api-media-plan-import"),
    re_path(r"^deploy/?$", DeployView.as_view(), name="api-deploy"),
    re_path(
        rf"^deploy/status/(?P<task_id>{UUID_PATTERN})/?$",
        DeployStatusView.as_view(),
        name="api-deploy-status",
    ),
    *router.urls,
    re_path(r"", NotThere.as_view()),
]
