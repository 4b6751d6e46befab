"""`POST /tracking/event` and `/tracking/events`: conversions from an advertiser's server, by its source's secret."""

from __future__ import annotations

from typing import Any, cast

from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from governance.api.errors import Problem, field_problem
from governance.api.viewsets import ApiView
from tracking.collecting import MOST, Origin, collect
from tracking.models import ConversionSource
from tracking.sources import source_of_secret


class SourceSecret(BaseAuthentication):
    """`Authorization: Bearer otc_…`. There is no person: `request.auth` is the source."""

    def authenticate(self, request: Request) -> tuple[None, ConversionSource] | None:
        scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.casefold() != "bearer":
            return None
        source = source_of_secret(secret.strip())
        if source is None:
            raise AuthenticationFailed(_("No active source has this secret."))
        return None, source

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class SourceSecretScheme(OpenApiAuthenticationExtension):
    target_class = "tracking.api_collector.SourceSecret"
    name = "sourceSecret"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        words = "The server secret of a conversion source, made on its page and shown once."
        return {"type": "http", "scheme": "bearer", "description": words}


class FromSource(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, ConversionSource)


class ReportBody(serializers.Serializer):
    """A conversion as it is reported. Only documents: `tracking.events.check` decides."""

    event_id = serializers.CharField(
        help_text="Yours, the same from browser and server; the order id for a Purchase."
    )
    event_name = serializers.CharField(help_text="Purchase, Lead, …")
    event_time = serializers.CharField(
        help_text="Unix seconds, or ISO 8601 with an offset; at most 7 days ago."
    )
    action_source = serializers.CharField(required=False, help_text="website if you don't say.")
    event_source_url = serializers.CharField(required=False)
    value = serializers.CharField(required=False, help_text="A number without symbols.")
    currency = serializers.CharField(required=False, help_text="ISO 4217.")
    order_id = serializers.CharField(required=False)
    user = serializers.DictField(
        required=False, help_text="em, ph, fn, ln, ct, st, zp, country, external_id, fbc, fbp, ttclid, gclid, ip, user_agent. Hashed at the door.",
    )  # fmt: skip
    consent = serializers.DictField(
        required=False, help_text="ad_user_data, ad_personalization: granted or denied; ldu."
    )


class ReportsBody(serializers.Serializer):
    events = ReportBody(many=True)


class ReportProblemBody(serializers.Serializer):
    field = serializers.CharField()  # type: ignore[assignment]
    code = serializers.CharField()
    message = serializers.CharField()


class OutcomeBody(serializers.Serializer):
    result = serializers.ChoiceField(choices=("taken", "merged", "refused"))
    event_id = serializers.CharField(allow_blank=True)
    problems = ReportProblemBody(many=True)


class OutcomesBody(serializers.Serializer):
    taken = serializers.IntegerField()
    merged = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = OutcomeBody(many=True)


_PURCHASE = {
    "event_id": "order-1001", "event_name": "Purchase", "event_time": 1795600000, "value": "49.90", "currency": "EUR",
    "event_source_url": "https://shop.example/thanks", "user": {"em": "ana@example.com"}, "consent": {"ad_user_data": "granted"},
}  # fmt: skip


class CollectorView(ApiView):
    authentication_classes = (SourceSecret,)  # type: ignore[assignment]
    permission_classes = (FromSource,)  # type: ignore[assignment]
    idempotent = False  # the event id makes it so


class EventView(CollectorView):
    @extend_schema(
        operation_id="tracking_event", request=ReportBody, responses={200: OutcomeBody},
        examples=[OpenApiExample("A purchase", value=_PURCHASE, request_only=True)],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """One conversion. 200 says that it was taken or merged; 400 names what is wrong, by field."""
        outcome = collect(cast(ConversionSource, request.auth), [request.data], origin=Origin.SERVER)[0]
        if outcome.problems:
            fields: dict[str, list[dict[str, Any]]] = {}
            for each in outcome.problems:
                entry = {"code": each.code, "message": each.message, "params": {}}
                fields.setdefault(each.field or "non_field_errors", []).append(entry)
            raise Problem(400, "validation_error", _("Some values are wrong."), fields=fields)
        return Response(outcome.as_report())


class EventsView(CollectorView):
    @extend_schema(
        operation_id="tracking_events", request=ReportsBody, responses={200: OutcomesBody},
        examples=[OpenApiExample("Two purchases", value={"events": [_PURCHASE, {**_PURCHASE, "event_id": "order-1002"}]}, request_only=True)],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Up to 1,000 conversions; each is answered by itself, in their order. A bad one refuses none of the others."""
        events = request.data.get("events") if isinstance(request.data, dict) else None
        if not isinstance(events, list):
            raise field_problem("events", "not_a_list", _("Send a list of events."))
        if len(events) > MOST:
            raise field_problem("events", "max_length", _("Send at most %(most)s of them.") % {"most": MOST})
        outcomes = collect(cast(ConversionSource, request.auth), events, origin=Origin.SERVER)
        counted = {
            name: sum(each.result == name for each in outcomes) for name in ("taken", "merged", "refused")
        }
        return Response({**counted, "results": [each.as_report() for each in outcomes]})
