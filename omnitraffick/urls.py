from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.utils.translation import gettext_lazy as _
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from governance import notice_pages, trail_page
from omnitraffick import board, desk, health
from tracking import browser

admin.site.index_title = _("Desk")

_admin_urls, _admin_app, _admin_namespace = admin.site.urls

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    # browsers ask for it by themselves, also on pages that name no icon
    path("favicon.ico", RedirectView.as_view(url=f"{settings.STATIC_URL}omnitraffick/favicon.svg")),
    path("health/live", health.live),
    path("health/ready", health.ready),
    # browsers of advertisers' sites
    path("t/<str:write_key>", browser.report, name="collector"),
    # pages of our own in the admin's namespace, before its catch-all
    path(
        "admin/",
        (
            [*board.urls(), *desk.urls(), *trail_page.urls(), *notice_pages.urls(), *_admin_urls],
            _admin_app,
            _admin_namespace,
        ),
    ),
    # before the API itself: it answers every other path below it with its own 404
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api-docs"),
    path("api/v1/", include("omnitraffick.api_urls")),
]
