"""Google Ads played locally: `googleAds:mutate`, `googleAds:search` and an OAuth token endpoint.

All or nothing, temporary ids defined before use, unknown fields and enums refused from the SDK's own messages,
Google's defaults (an object without status would be ENABLED), its error envelope with field paths. Any positive
asset id that this sandbox did not make counts as an image in the account. YouTube works on a video for `processing_s`
seconds; one whose title holds REJECTME is rejected (a convention of this sandbox).
Amounts must be multiples of 10,000 micros: the sandbox does not know the accounts' currencies.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import jsonschema_rs

from trafficking.platforms.google_ads import sandbox_events as conversions
from trafficking.platforms.google_ads import sandbox_gaql as gaql
from trafficking.platforms.google_ads import sandbox_images as images
from trafficking.platforms.google_ads import sandbox_updates as updates
from trafficking.platforms.google_ads.reference import API_VERSION, REFERENCE
from trafficking.platforms.google_ads.sandbox_review import group_review, review, serving_status
from trafficking.platforms.google_ads.sandbox_rules import RESOURCES, Scene, Wrong, asset_group_needs, snake
from trafficking.platforms.sandbox_base import Request, Response, Sandbox

FAILURE = f"type.googleapis.com/google.ads.googleads.{API_VERSION}.errors.GoogleAdsFailure"
DOOR = re.compile(r"/(v\d+)/customers/([^/]+)/googleAds:(mutate|search)")
UPLOAD_DOOR = re.compile(r"/resumable/upload/(v\d+)/customers/([^/]+)/youTubeVideoUploads:create")
#: google.rpc.Code name -> HTTP status
HTTP = {
    "INVALID_ARGUMENT": 400, "UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403, "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429, "INTERNAL": 500, "UNAVAILABLE": 503,
}  # fmt: skip
#: Fields of a resource that Google fills in: they can be read, not written.
READ_ONLY = {
    "resource_name", "id", "type", "criterion_id", "bidding_strategy_type", "status",
}  # fmt: skip
#: Others that can be read only, and the resources that can only be read.
READABLE = {
    "campaign.serving_status", "campaign.missing_eu_political_advertising_declaration",
    "ad_group_ad.policy_summary.review_status", "ad_group_ad.policy_summary.approval_status",
    "ad_group_ad.policy_summary.policy_topic_entries", "ad_group_ad.primary_status",
    "ad_group_ad.primary_status_reasons", "asset_group.primary_status", "asset_group.primary_status_reasons", "customer.id", "customer.status", "customer.currency_code",
    "customer.time_zone", "customer.manager", "customer.test_account", "billing_setup.resource_name",
    "billing_setup.status", "you_tube_video_upload.resource_name", "you_tube_video_upload.state",
    "you_tube_video_upload.video_id", "conversion_action.id", "conversion_action.name", "conversion_action.status",
}  # fmt: skip
#: Kinds that a campaign mutate may concern.
UNDECLARED = "mutateError", "EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED"
#: JSON Schema words that say more than "this field exists and has this type".
BEYOND_SHAPE = {
    "required", "oneOf", "anyOf", "minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum", "$schema",
}  # fmt: skip
IMAGE_FIELDS = {
    "marketingImages", "squareMarketingImages", "portraitMarketingImages", "logoImages", "squareLogoImages",
    "MARKETING_IMAGE", "SQUARE_MARKETING_IMAGE", "PORTRAIT_MARKETING_IMAGE", "LOGO",
}  # fmt: skip


class _Undo(Exception):
    """Leaves `Store.atomic` without keeping anything."""


class GoogleAdsSandbox(Sandbox):
    key = "google_ads"
    page_size = 10_000
    processing_s = 60.0
    #: How long Data Manager works on an accepted request before its diagnostics are there.
    diagnostics_s = 0.0

    def account_of(self, request: Request) -> str:
        door = DOOR.fullmatch(request.path) or UPLOAD_DOOR.fullmatch(request.path)
        return door[2] if door else ""

    def tamper(self, kind: str, object_id: str, changes: Mapping[str, Any]) -> None:
        """As in every sandbox; what is not there is made. `("account", "1234567890", {"status": "SUSPENDED"})` sets
        what the account's own queries answer (status, currencyCode, timeZone, manager, billing); other kinds name
        their account in `changes["account"]`."""
        if self.store.get(kind, object_id) is not None:
            super().tamper(kind, object_id, changes)
            return
        body = {key: value for key, value in changes.items() if key != "account"}
        account = object_id if kind == "account" else str(changes["account"])
        name = str(changes.get("name", ""))
        self.store.add(kind, account, "", name, body, lambda _number: object_id, now=self.clock())

    # ----------------------------------------------------------------------------------- dialect

    def throttled(self, request: Request, seconds: float) -> Response:
        details = {
            "quotaErrorDetails": {
                "rateScope": "ACCOUNT", "rateName": "Requests per account", "retryDelay": f"{seconds:g}s",
            }
        }  # fmt: skip
        wrong = Wrong(
            "quotaError",
            "RESOURCE_TEMPORARILY_EXHAUSTED",
            f"Too many requests. Retry in {seconds:g} seconds.",
        )
        return failure(
            "RESOURCE_EXHAUSTED",
            "Resource has been exhausted (e.g. check quota).",
            [error(wrong, (), details)],
        )

    def unauthorised(self, request: Request) -> Response:
        wrong = Wrong("authenticationError", "OAUTH_TOKEN_EXPIRED", "Oauth token is expired.")
        return failure(
            "UNAUTHENTICATED", "Request had invalid authentication credentials.", [error(wrong, ())]
        )

    def server_error(self, request: Request) -> Response:
        wrong = Wrong("internalError", "INTERNAL_ERROR", "An internal error has occurred.")
        return failure("INTERNAL", "Internal error encountered.", [error(wrong, ())])

    # -------------------------------------------------------------------------------------- doors

    def respond(self, request: Request) -> Response:
        if request.path == "/token":
            return self._token(request)
        if request.path in (conversions.INGEST, conversions.RETRIEVE):
            return self._data_manager(request)
        upload = UPLOAD_DOOR.fullmatch(request.path)
        if upload is not None and upload[1] == API_VERSION:
            return self._refused(request, upload[2]) or self._upload_video(request, upload[2])
        door = DOOR.fullmatch(request.path)
        if door is None or door[1] != API_VERSION:
            return Response(
                404, b"<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>", {"Content-Type": "text/html"}
            )
        if request.method != "POST":
            return failure("NOT_FOUND", f"{request.method} is not served here.", [])
        refused = self._refused(request, door[2])
        if refused is not None:
            return refused
        try:
            body = json.loads(request.body)
        except ValueError:
            return failure("INVALID_ARGUMENT", "Invalid JSON payload received. Parse error.", [])
        if not isinstance(body, dict):
            return failure(
                "INVALID_ARGUMENT", "Invalid JSON payload received. Root element must be a message.", []
            )
        return self._mutate(door[2], body) if door[3] == "mutate" else self._search(door[2], body)

    def _data_manager(self, request: Request) -> Response:
        """Google's conversions: their own API, without developer token or customer in the path."""
        bearer = re.fullmatch(r"Bearer (\S+)", request.headers.get("authorization", ""))
        if bearer is None or bearer[1] == "expired":
            return failure("UNAUTHENTICATED", "Request had invalid authentication credentials.", [])
        if request.path == conversions.RETRIEVE:
            wanted = request.query.get("requestId", "")
            return conversions.retrieve(wanted, self.store, self.clock(), self.diagnostics_s)
        try:
            body = json.loads(request.body)
        except ValueError:
            body = None
        if request.method != "POST" or not isinstance(body, dict):
            return failure("INVALID_ARGUMENT", "Invalid JSON payload received. Parse error.", [])
        return conversions.ingest(body, self.store, self.conversions, self.clock())

    def _refused(self, request: Request, customer: str) -> Response | None:
        """What is wrong before the body is read: credentials, account, content type."""
        bearer = re.fullmatch(r"Bearer (\S+)", request.headers.get("authorization", ""))
        if bearer is None:
            return failure(
                "UNAUTHENTICATED", "Request is missing required authentication credential. Expected OAuth 2 access token.", [],
            )  # fmt: skip
        if bearer[1] == "expired":
            return self.unauthorised(request)
        developer = request.headers.get("developer-token", "")
        if not developer:
            return one(
                "INVALID_ARGUMENT",
                Wrong(
                    "requestError",
                    "DEVELOPER_TOKEN_PARAMETER_MISSING",
                    "Developer token parameter was missing.",
                ),
            )
        if developer == "expired":
            return one(
                "UNAUTHENTICATED",
                Wrong("authenticationError", "DEVELOPER_TOKEN_INVALID", "The developer token is not valid."),
            )
        manager = request.headers.get("login-customer-id")
        if manager is not None and not re.fullmatch(r"\d{10}", manager):
            return one(
                "INVALID_ARGUMENT",
                Wrong(
                    "headerError",
                    "INVALID_LOGIN_CUSTOMER_ID",
                    "The login customer ID could not be validated.",
                ),
            )
        if not re.fullmatch(r"\d{10}", customer):
            return one(
                "INVALID_ARGUMENT",
                Wrong("requestError", "INVALID_CUSTOMER_ID", "The customer ID is not valid."),
            )
        command = request.headers.get("x-goog-upload-command", "")
        if "upload" not in command and not request.headers.get("content-type", "").startswith(
            "application/json"
        ):
            return failure("INVALID_ARGUMENT", "The content type must be application/json.", [])
        return None

    def _token(self, request: Request) -> Response:
        form = {key: values[0] for key, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
        wanted = ("client_id", "client_secret", "refresh_token")
        if form.get("grant_type") != "refresh_token" or not all(form.get(name) for name in wanted):
            return Response.json(
                400, {"error": "invalid_request", "error_description": "Missing required parameter."}
            )
        if "expired" in (form["refresh_token"], form["client_secret"]):
            return Response.json(
                400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
            )
        token = {"access_token": f"ya29.{uuid.uuid4().hex}", "expires_in": 3599, "token_type": "Bearer"}
        return Response.json(200, token)

    # ------------------------------------------------------------------------------------- mutate

    def _mutate(self, customer: str, body: dict[str, Any]) -> Response:
        unknown = _first_unknown(body)
        if unknown is not None:
            return unknown
        if body.get("partialFailure"):
            return one(
                "INVALID_ARGUMENT",
                Wrong("mutateError", "OPERATION_DOES_NOT_SUPPORT_PARTIAL_FAILURE", "Not played here."),
            )
        run = _Mutate(self, customer, body["mutateOperations"])
        try:
            with self.store.atomic():
                results = run.results()
                if run.errors or body.get("validateOnly"):
                    raise _Undo
        except _Undo:
            if run.errors:
                return failure("INVALID_ARGUMENT", "Request contains an invalid argument.", run.errors)
            return answer(200, {})
        return answer(200, {"mutateOperationResponses": results})

    # ------------------------------------------------------------------------------------- videos

    def _upload_video(self, request: Request, customer: str) -> Response:
        """The resumable protocol: `start` tells where to send the bytes, `upload, finalize` ends it."""
        if request.headers.get("x-goog-upload-command") == "start":
            return self._start_upload(request, customer)
        begun = self.store.get("upload_session", request.query.get("upload_id", ""))
        if begun is None or request.headers.get("x-goog-upload-command") != "upload, finalize":
            return failure("INVALID_ARGUMENT", "There is no such upload session.", [])
        if len(request.body) != begun["size"] or request.headers.get("x-goog-upload-offset") != "0":
            return failure("INVALID_ARGUMENT", "The bytes do not have the announced length.", [])
        video = {"videoTitle": begun["title"]}
        made = self.store.add(
            "you_tube_video_upload", customer, "", begun["title"], video, str, now=self.clock()
        )
        name = f"customers/{customer}/youTubeVideoUploads/{made['id']}"
        return answer(200, {"resourceName": name})

    def _start_upload(self, request: Request, customer: str) -> Response:
        """The metadata in proto field names, as the SDK sends them."""
        try:
            body = json.loads(request.body)
        except ValueError:
            return failure("INVALID_ARGUMENT", "Invalid JSON payload received. Parse error.", [])
        upload = body.get("you_tube_video_upload", {}) if isinstance(body, dict) else {}
        unknown = set(upload) - {"video_title", "video_description", "channel_id", "video_privacy"}
        title = str(upload.get("video_title", ""))
        size = request.headers.get("x-goog-upload-header-content-length", "")
        if unknown or not 0 < len(title) <= 100 or re.search("[<>]", title) or not size.isdigit():
            return failure("INVALID_ARGUMENT", "Request contains an invalid argument.", [])
        begun = self.store.add(
            "upload_session", customer, "", title, {"title": title, "size": int(size)}, str, now=self.clock()
        )
        where = f"{request.path}?upload_id={begun['id']}"
        return Response(200, b"", {"X-Goog-Upload-Status": "active", "X-Goog-Upload-URL": where})

    # ------------------------------------------------------------------------------------- search

    def _search(self, customer: str, body: dict[str, Any]) -> Response:
        unknown = set(body) - {"query", "pageToken", "customerId", "validateOnly", "searchSettings"}
        if unknown:
            return _unknown_name(min(unknown), "")
        try:
            query = gaql.parse(str(body.get("query", "")), _known_field)
        except gaql.QueryError as wrong:
            return one("INVALID_ARGUMENT", Wrong("queryError", wrong.code, str(wrong)))
        token = str(body.get("pageToken", "0"))
        if not token.isdigit():
            return one(
                "INVALID_ARGUMENT",
                Wrong("requestError", "INVALID_PAGE_TOKEN", "The page token is not valid."),
            )
        start = int(token)
        rows = [row for row in self._rows(customer, query) if _matches(row, query)][: query.limit]
        page = rows[start : start + self.page_size]
        found: dict[str, Any] = {"fieldMask": ",".join(map(gaql.camel, query.fields))}
        if page:
            found["results"] = [gaql.project(row, query) for row in page]
        if start + self.page_size < len(rows):
            found["nextPageToken"] = str(start + self.page_size)
        return answer(200, found)

    def _candidates(self, customer: str, query: gaql.Query) -> Iterable[dict[str, Any]]:
        """Objects that may match, through the store's indexes where a condition allows it."""
        return [each for each in self._stored(customer, query) if self.visible(each) and not _vanished(each)]

    def _stored(self, customer: str, query: gaql.Query) -> Iterable[dict[str, Any]]:
        kind = query.resource
        exact = {each.field: each.values[0] for each in query.conditions if each.operator == "="}
        if f"{kind}.resource_name" in exact:
            found = self.store.get(kind, exact[f"{kind}.resource_name"].rpartition("/")[2])
            return [found] if found and found["_account"] == customer else []
        if f"{kind}.name" in exact:
            return self.store.find(kind, customer, name=exact[f"{kind}.name"])
        if "campaign.id" not in exact or kind == "campaign":
            return self.store.find(kind, customer)
        campaign = f"customers/{customer}/campaigns/{exact['campaign.id']}"
        if kind in ("ad_group", "campaign_criterion", "asset_group"):
            return self.store.find(kind, customer, parent=campaign)
        above = "asset_group" if kind.startswith("asset_group_") else "ad_group"
        groups = self.store.find(above, customer, parent=campaign)
        names = [f"customers/{customer}/{_COLLECTION[above]}/{group['id']}" for group in groups]
        return [each for name in names for each in self.store.find(kind, customer, parent=name)]

    def _rows(self, customer: str, query: gaql.Query) -> Iterable[dict[str, Any]]:
        """Each candidate with its parents: `{"adGroup": {…}, "campaign": {…}}`."""
        resource = query.resource
        if resource in gaql.ACCOUNT_RESOURCES:
            yield from self._account_rows(customer, query)
            return
        seen: dict[str, dict[str, Any]] = {}
        for stored in self._candidates(customer, query):
            row = {gaql.camel(resource): self._shown(resource, customer, stored)}
            for above in gaql.RESOURCES[resource]:
                name = _parent_name(row, above)
                if name not in seen:
                    seen[name] = self._by_name(above, customer, name)
                row[gaql.camel(above)] = seen[name]
            yield row

    def _by_name(self, kind: str, customer: str, name: str) -> dict[str, Any]:
        stored = self.store.get(kind, name.rpartition("/")[2]) or {"id": "0"}
        return self._shown(kind, customer, stored)

    def _shown(self, kind: str, customer: str, stored: Mapping[str, Any]) -> dict[str, Any]:
        """A stored object as a query shows it, with what follows from its surroundings and the hour."""
        out = _as_read(kind, customer, stored)
        if kind == "campaign":
            out["servingStatus"] = serving_status(stored, self.clock())
            declared = stored.get("containsEuPoliticalAdvertising") not in (None, "UNSPECIFIED")
            out["missingEuPoliticalAdvertisingDeclaration"] = not declared
        if kind == "asset_group":
            campaign = self.store.get("campaign", str(stored.get("campaign", "")).rpartition("/")[2]) or {}
            links = self.store.find("asset_group_asset", customer, parent=out["resourceName"])
            texts = [self.store.get("asset", str(each.get("asset")).rpartition("/")[2]) for each in links]
            out |= group_review(stored, texts, campaign, self.clock(), self.review_s)
        if kind == "you_tube_video_upload":
            out |= self._processing(stored)
        if kind == "ad_group_ad":
            group = self.store.get("ad_group", str(stored.get("adGroup", "")).rpartition("/")[2]) or {}
            campaign = self.store.get("campaign", str(group.get("campaign", "")).rpartition("/")[2]) or {}
            out |= review(stored, group, campaign, self.clock(), self.review_s)
        return out

    def _processing(self, stored: Mapping[str, Any]) -> dict[str, str]:
        if self.clock() < float(stored["_created"]) + self.processing_s:
            return {"state": "UPLOADED"}
        if "REJECTME" in str(stored.get("videoTitle")):
            return {"state": "REJECTED"}
        return {"state": "PROCESSED", "videoId": f"yt{int(stored['id']):09}"}

    def _account_rows(self, customer: str, query: gaql.Query) -> Iterable[dict[str, Any]]:
        """What the account's own queries answer: healthy, unless a test or person made it otherwise."""
        known = self.store.get("account", customer) or {}
        if query.resource == "customer":
            plain = {key: value for key, value in known.items() if key[0] != "_" and key != "billing"}
            yield {"customer": {"status": "ENABLED", **plain, "id": customer}}
        elif query.resource == "billing_setup":
            name = f"customers/{customer}/billingSetups/1"
            yield {"billingSetup": {"resourceName": name, "status": known.get("billing", "APPROVED")}}
        else:
            wanted = next((each.values[0] for each in query.conditions if each.field.endswith(".id")), "1")
            made = self.store.get("conversion_action", wanted) or {}
            shown = {"name": f"Conversion {wanted}", "status": "ENABLED", **made, "id": wanted}
            yield {"conversionAction": {key: value for key, value in shown.items() if key[0] != "_"}}


class _Mutate:
    """One mutate request while it runs inside the store's transaction."""

    def __init__(self, sandbox: GoogleAdsSandbox, customer: str, operations: list[dict[str, Any]]) -> None:
        self.sandbox = sandbox
        self.store = sandbox.store
        self.customer = customer
        self.operations = operations
        self.errors: list[dict[str, Any]] = []
        self.real: dict[str, str] = {}  # temporary resource name -> real one
        self.groups: dict[str, int] = {}  # asset groups that were touched -> where
        self.failed: set[str] = set()  # temporary names whose create had errors

    def results(self) -> list[dict[str, Any]]:
        out = []
        self._refuse_undeclared()
        for index, operation in enumerate(self.operations):
            ((name, change),) = operation.items()
            path = (("mutate_operations", index), (snake(name), None))
            made = self._one(name, change, path)
            self._note_group(name, made, index)
            if made is not None:
                out.append({f"{name.removesuffix('Operation')}Result": {"resourceName": made}})
        self._check_groups()
        return out

    def _note_group(self, operation: str, made: str | None, index: int) -> None:
        """Asset groups are judged when the whole request is done."""
        if made is not None and operation == "assetGroupOperation":
            self.groups[made.rpartition("/")[2]] = index
        if made is not None and operation == "assetGroupAssetOperation":
            self.groups.setdefault(made.rpartition("/")[2].partition("~")[0], index)

    def _check_groups(self) -> None:
        for number, index in self.groups.items():
            group = self.store.get("asset_group", number) or {}
            if self.errors or group.get("status") == "REMOVED":
                continue
            name = f"customers/{self.customer}/assetGroups/{number}"
            links = [
                each for each in self.store.find("asset_group_asset", self.customer, parent=name)
                if each.get("status") != "REMOVED"
            ]  # fmt: skip
            texts = {
                f"customers/{self.customer}/assets/{each['id']}": each.get("textAsset", {}).get("text", "")
                for each in self.store.find("asset", self.customer)
            }
            for wrong in asset_group_needs(links, texts):
                self._fail(
                    wrong, (("mutate_operations", index), ("asset_group_operation", None), ("create", None))
                )

    def _one(self, name: str, change: Mapping[str, Any], path: tuple[Any, ...]) -> str | None:
        verbs = {"create", "update", "remove"} & change.keys()
        if len(verbs) != 1:
            return self._fail(
                Wrong("requestError", "OPERATION_REQUIRED", "One of create, update, remove is required."),
                path,
            )
        (verb,) = verbs
        path = (*path, (verb, None))
        if verb == "create":
            return self._create(name, change["create"], path)
        if verb == "update":
            return self._update(name, change["update"], str(change.get("updateMask", "")), path)
        return self._remove(name, str(change["remove"]), path)

    def _refuse_undeclared(self) -> None:
        """Since 2026-04-01 one undeclared campaign in the account fails every campaign mutate that declares nothing."""
        declared = set()
        for index, operation in enumerate(self.operations):
            change = operation.get("campaignOperation", {})
            if "containsEuPoliticalAdvertising" in change.get("update", {}):
                declared.add(change["update"].get("resourceName", "").rpartition("/")[2])
                continue
            if not {"create", "update"} & change.keys() or not self._undeclared() - declared:
                continue
            wrong = Wrong(
                *UNDECLARED, "A campaign of this account lacks its declaration of EU political advertising."
            )
            self._fail(wrong, (("mutate_operations", index), ("campaign_operation", None)))
            return

    def _undeclared(self) -> set[str]:
        return {
            each["id"]
            for each in self.store.find("campaign", self.customer)
            if each.get("status") != "REMOVED"
            and each.get("containsEuPoliticalAdvertising") in (None, "UNSPECIFIED")
        }

    def _fail(self, wrong: Wrong, path: tuple[Any, ...]) -> str | None:
        """Note an error; nothing was made."""
        self.errors.append(error(wrong, path))
        return None

    # ------------------------------------------------------------------------------------ create

    def _create(self, operation: str, create: Mapping[str, Any], path: tuple[Any, ...]) -> str | None:
        kind, collection, parent_field, rules, defaults = RESOURCES[operation]
        temporary = create.get("resourceName")
        wrong = self._temporary(temporary, collection)
        if wrong is not None:
            return self._fail(wrong, path)
        before = len(self.errors)
        body = self._resolved({**defaults, **create}, path)
        body.pop("resourceName", None)
        if "imageAsset" in body:
            body["imageAsset"] = images.as_stored(body["imageAsset"])
        parents = self._parents(operation, body, path)
        twin = self._same_asset(kind, body)
        if twin is None:
            scene = Scene(self.sandbox.clock(), parents, self._siblings(kind, parent_field, body))
            for found in rules(body, scene):
                self._fail(found, path)
        if len(self.errors) > before:
            self.failed |= {temporary} if temporary else set()
            return None
        made = twin or self._store(kind, collection, parent_field, body)
        if temporary:
            self.real[temporary] = made
        return made

    def _temporary(self, name: str | None, collection: str) -> Wrong | None:
        if name is None:
            return None
        match = re.fullmatch(r"customers/(\d+)/(\w+)/(-?\d+)", name)
        if match is None or match[2] != collection or match[1] != self.customer:
            return Wrong(
                "requestError",
                "RESOURCE_NAME_MALFORMED",
                "Resource name is malformed.",
                ("resource_name",),
                name,
            )
        if int(match[3]) >= 0:
            return Wrong(
                "newResourceCreationError",
                "CANNOT_SET_ID_FOR_CREATE",
                "Do not set the id field while creating new resources.",
                ("resource_name",),
                name,
            )
        used = {key.rpartition("/")[2] for key in (*self.real, *self.failed)}
        if match[3] in used:
            return Wrong(
                "newResourceCreationError",
                "DUPLICATE_TEMP_IDS",
                "Creating more than one resource with the same temp ID is not allowed.",
                ("resource_name",),
                name,
            )
        return None

    def _resolved(self, value: Any, path: tuple[Any, ...]) -> Any:
        """Temporary names replaced by real ones; one that was not defined before is an error."""
        if isinstance(value, dict):
            kept = {"resourceName"}
            return {
                k: v if k in kept else self._resolved(v, (*path, (snake(k), None))) for k, v in value.items()
            }
        if isinstance(value, list):
            return [self._resolved(v, (*path[:-1], (path[-1][0], i))) for i, v in enumerate(value)]
        if not isinstance(value, str) or not re.fullmatch(r"customers/\d+/\w+/-\d+", value):
            return value
        if value not in self.real:
            had = Wrong(
                "newResourceCreationError",
                "TEMP_ID_RESOURCE_HAD_ERRORS",
                "The resource of this temp ID had errors.",
                (),
                value,
            )
            missing = Wrong(
                "mutateError", "RESOURCE_NOT_FOUND", "Requested resource was not found.", (), value
            )
            self._fail(had if value in self.failed else missing, path)
        return self.real.get(value, value)

    def _parents(self, operation: str, body: Mapping[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
        """The stored objects that the create names; a real name that is not there is an error."""
        found: dict[str, Any] = {}
        wanted = {"campaignBudget": "campaign_budget", "campaign": "campaign", "adGroup": "ad_group",
                  "assetGroup": "asset_group"}  # fmt: skip
        for field, kind in wanted.items():
            name = body.get(field)
            if not isinstance(name, str) or re.search(r"/-\d+$", name):
                continue
            stored = self.store.get(kind, name.rpartition("/")[2])
            if (
                stored is None
                or name != f"customers/{self.customer}/{_COLLECTION[kind]}/{stored['id']}"
                or stored["_account"] != self.customer
            ):
                self._fail(
                    Wrong(
                        "mutateError",
                        "RESOURCE_NOT_FOUND",
                        "Requested resource was not found.",
                        (snake(field),),
                        name,
                    ),
                    path,
                )
            elif stored.get("status") == "REMOVED":
                self._fail(_removed(name, snake(field)), path)
            else:
                found[field] = self._with_context(kind, stored)
        self._check_assets(body.get("ad", {}), path)
        if operation == "assetGroupAssetOperation":
            self._check_asset(str(body.get("asset")), str(body.get("fieldType")), path)
        return found

    def _with_context(self, kind: str, stored: dict[str, Any]) -> dict[str, Any]:
        if kind == "campaign_budget":
            name = f"customers/{self.customer}/campaignBudgets/{stored['id']}"
            return {**stored, "in_use": bool(self.store.find("campaign", self.customer, parent=name))}
        if kind == "ad_group":
            campaign = self.store.get("campaign", stored["campaign"].rpartition("/")[2]) or {}
            return {**stored, "channel": campaign.get("advertisingChannelType")}
        return stored

    def _check_assets(self, value: Any, path: tuple[Any, ...], field: str = "") -> None:
        """Images where images belong, videos and buttons where those do."""
        if isinstance(value, list):
            for each in value:
                self._check_assets(each, path, field)
        elif isinstance(value, dict):
            for key, each in value.items():
                if key == "asset" and isinstance(each, str):
                    self._check_asset(each, field, path)
                else:
                    self._check_assets(each, path, key)

    def _check_asset(self, name: str, field: str, path: tuple[Any, ...]) -> None:
        if re.search(r"/-\d+$", name):
            return  # reported where it was resolved
        if not re.fullmatch(rf"customers/{self.customer}/assets/[1-9]\d*", name):
            self._fail(
                Wrong(
                    "requestError", "RESOURCE_NAME_MALFORMED", "Resource name is malformed.", ("ad",), name
                ),
                path,
            )
            return
        stored = self.store.get("asset", name.rpartition("/")[2])
        image = stored is None or "imageAsset" in stored
        if image != (field in IMAGE_FIELDS):
            self._fail(
                Wrong(
                    "assetLinkError",
                    "FIELD_TYPE_INCOMPATIBLE_WITH_ASSET_TYPE",
                    "The asset does not fit the field.",
                    ("ad",),
                    name,
                ),
                path,
            )

    def _siblings(self, kind: str, parent_field: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Objects that a new one may clash with: by name in the account, or under the same parent."""
        if kind in ("campaign", "campaign_budget", "asset"):
            found = self.store.find(kind, self.customer, name=str(body.get("name", "")))
        else:
            found = self.store.find(kind, self.customer, parent=str(body.get(parent_field, "")))
        return [each for each in found if each.get("status") != "REMOVED"]

    def _same_asset(self, kind: str, body: Mapping[str, Any]) -> str | None:
        """Assets are deduplicated by content: the one that is there is answered."""
        found = self.store.find("asset", self.customer, parent=_content(body)) if kind == "asset" else []
        return f"customers/{self.customer}/assets/{found[0]['id']}" if found else None

    def _store(self, kind: str, collection: str, parent_field: str, body: dict[str, Any]) -> str:
        parent = _content(body) if kind == "asset" else str(body.get(parent_field, ""))
        name = str(body.get("name") or body.get("ad", {}).get("name", ""))
        if body.get("status") == "ENABLED" and kind in ("ad_group_ad", "asset_group"):
            body = {**body, "reviewFrom": self.sandbox.clock()}
        again = self.store.get(kind, _new_id(kind, parent, body, 0))
        if again is not None:  # a place or language that was removed before has the same id again
            self.store.update(kind, again["id"], {"status": "ENABLED", **body})
            return f"customers/{self.customer}/{collection}/{again['id']}"
        stored = self.store.add(
            kind, self.customer, parent, name, body, lambda number: _new_id(kind, parent, body, number),
            now=self.sandbox.clock(),
        )  # fmt: skip
        return f"customers/{self.customer}/{collection}/{stored['id']}"

    # ------------------------------------------------------------------------------------ update

    def _update(
        self, operation: str, update: Mapping[str, Any], mask: str, path: tuple[Any, ...]
    ) -> str | None:
        name = str(update.get("resourceName", ""))
        stored = self._named(operation, name, path)
        if stored is None:
            return None
        kind = stored["_kind"]
        before = len(self.errors)
        update = self._resolved(update, path)
        self._check_assets(update, path)
        if len(self.errors) > before:
            return None
        body, problems = updates.updated(operation, stored, update, mask, _leaf_of(operation))
        if not problems:
            problems = self._broken_rules(operation, stored, body, mask)
        for wrong in problems:
            self._fail(wrong, path)
        if problems:
            return None
        if updates.needs_review(operation, stored, body):
            body["reviewFrom"] = self.sandbox.clock()
        changed = {key: body.get(key) for key in {*body, *stored} if body.get(key) != stored.get(key)}
        self.store.update(kind, stored["id"], changed)
        if kind == "campaign":
            self._sync_budget(body)
        return name

    def _remove(self, operation: str, name: str, path: tuple[Any, ...]) -> str | None:
        stored = self._named(operation, name, path)
        if stored is None:
            return None
        kind = stored["_kind"]
        siblings = [
            each for each in self.store.find(kind, self.customer, parent=stored["_parent"])
            if each.get("status") != "REMOVED"
        ]  # fmt: skip
        if kind == "asset_group" and len(siblings) == 1:
            last = "The last asset group of a campaign cannot be removed."
            return self._fail(
                Wrong("assetGroupError", "CANNOT_REMOVE_ALL_ASSET_GROUPS_FROM_CAMPAIGN", last), path
            )
        self.store.update(kind, stored["id"], {"status": "REMOVED"})
        return name

    def _named(self, operation: str, name: str, path: tuple[Any, ...]) -> dict[str, Any] | None:
        """The stored object of a resource name; None, with the error noted, where there is none to change."""
        kind, collection, *_ = RESOURCES[operation]
        number = name.rpartition("/")[2]
        if operation == "adOperation":
            found = self.store.rows(
                "kind = ? AND account = ? AND id LIKE ?", (kind, self.customer, f"%~{number}")
            )
            stored, right = (found[0] if found else None), f"customers/{self.customer}/ads/{number}"
        else:
            stored, right = self.store.get(kind, number), f"customers/{self.customer}/{collection}/{number}"
        if stored is None or name != right or stored["_account"] != self.customer:
            missing = Wrong(
                "mutateError",
                "RESOURCE_NOT_FOUND",
                "Requested resource was not found.",
                ("resource_name",),
                name,
            )
            self._fail(missing, path)
            return None
        if stored.get("status") == "REMOVED":
            self._fail(_removed(name, "resource_name"), path)
            return None
        return stored

    def _broken_rules(
        self, operation: str, stored: Mapping[str, Any], body: dict[str, Any], mask: str
    ) -> list[Wrong]:
        """Rules of a create that the changed fields break: what stands already is not judged again."""
        kind, _collection, parent_field, rules, _defaults = RESOURCES[operation]
        siblings = [each for each in self._siblings(kind, parent_field, body) if each["id"] != stored["id"]]
        scene = Scene(self.sandbox.clock(), self._parents_of(body), siblings)
        broken = [each for each in rules(body, scene) if updates.concerns(operation, each, mask)]
        return broken + updates.timing(operation, stored, body, self.sandbox.clock())

    def _parents_of(self, body: Mapping[str, Any]) -> dict[str, Any]:
        group = self.store.get("ad_group", str(body.get("adGroup", "")).rpartition("/")[2])
        budget = self.store.get("campaign_budget", str(body.get("campaignBudget", "")).rpartition("/")[2])
        campaign = self.store.get("campaign", str(body.get("campaign", "")).rpartition("/")[2])
        found = {"adGroup": group and self._with_context("ad_group", group), "campaignBudget": budget,
                 "campaign": campaign}  # fmt: skip
        return {field: each for field, each in found.items() if each}

    def _sync_budget(self, campaign: Mapping[str, Any]) -> None:
        """The name of a budget that is not shared follows its campaign's."""
        budget = self.store.get("campaign_budget", str(campaign.get("campaignBudget", "")).rpartition("/")[2])
        if budget is not None and not budget.get("explicitlyShared"):
            self.store.update("campaign_budget", budget["id"], {"name": campaign["name"]})


def _removed(name: str, field: str) -> Wrong:
    return Wrong(
        "contextError",
        "OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE",
        "The operation is not allowed for removed resources.",
        (field,),
        name,
    )


def _vanished(stored: Mapping[str, Any]) -> bool:
    """Signals have no status: one that was removed is not there."""
    return stored["_kind"] == "asset_group_signal" and stored.get("status") == "REMOVED"


def _content(asset: Mapping[str, Any]) -> str:
    """What an asset is, whatever it is called."""
    return json.dumps({key: value for key, value in asset.items() if key.endswith("Asset")}, sort_keys=True)


_COLLECTION = {
    kind: collection for name, (kind, collection, *_) in RESOURCES.items() if name != "adOperation"
} | {"you_tube_video_upload": "youTubeVideoUploads"}
HIDDEN = ("in_use", "reviewFrom")


def _new_id(kind: str, parent: str, body: Mapping[str, Any], number: int) -> str:
    """Ids in Google's style: long numbers, `parent~child` for ads and criteria, constants keep their own."""
    fresh = str({"campaign": 21_000_000_000, "ad_group": 160_000_000_000}.get(kind, 700_000_000_000) + number)
    above = parent.rpartition("/")[2]
    if kind == "ad_group_ad":
        return f"{above}~{fresh}"
    if kind == "asset_group_asset":
        return f"{above}~{str(body.get('asset')).rpartition('/')[2]}~{body.get('fieldType')}"
    if kind == "asset_group_signal":
        return f"{above}~{fresh}"
    if kind not in ("campaign_criterion", "ad_group_criterion"):
        return fresh
    constant = body.get("location", {}).get("geoTargetConstant") or body.get("language", {}).get(
        "languageConstant"
    )
    return f"{above}~{constant.rpartition('/')[2] if constant else fresh}"


def _as_read(kind: str, customer: str, stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored object as a query shows it."""
    out = {key: value for key, value in stored.items() if not key.startswith("_") and key not in HIDDEN}
    out["resourceName"] = f"customers/{customer}/{_COLLECTION[kind]}/{stored['id']}"
    last = str(stored["id"]).rpartition("~")[2]
    if kind in ("campaign_criterion", "ad_group_criterion"):
        out.pop("id")
        out["criterionId"] = last
    elif kind == "ad_group_ad":
        out.pop("id")
        out["ad"] = {**out.get("ad", {}), "id": last, "resourceName": f"customers/{customer}/ads/{last}"}
    if kind == "campaign":
        schemes = [name for name in _BIDDING_TYPES if name in out]
        out["biddingStrategyType"] = _BIDDING_TYPES[schemes[0]] if schemes else "INVALID"
    if kind == "asset":
        out["type"] = next((word for name, word in _ASSET_TYPES.items() if name in out), "UNKNOWN")
    return out


_ASSET_TYPES = {
    "youtubeVideoAsset": "YOUTUBE_VIDEO", "callToActionAsset": "CALL_TO_ACTION", "imageAsset": "IMAGE",
    "textAsset": "TEXT",
}  # fmt: skip
_BIDDING_TYPES = {
    "targetSpend": "TARGET_SPEND", "maximizeConversions": "MAXIMIZE_CONVERSIONS", "manualCpm": "MANUAL_CPM",
    "maximizeConversionValue": "MAXIMIZE_CONVERSION_VALUE", "targetCpc": "TARGET_CPC", "manualCpc": "MANUAL_CPC",
    "targetImpressionShare": "TARGET_IMPRESSION_SHARE", "targetCpa": "TARGET_CPA", "targetRoas": "TARGET_ROAS",
}  # fmt: skip


def _parent_name(row: Mapping[str, Any], above: str) -> str:
    """The parent's resource name, from whichever object of the row names it."""
    for each in row.values():
        if gaql.camel(above) in each:
            return str(each[gaql.camel(above)])
    return ""


def _matches(row: Mapping[str, Any], query: gaql.Query) -> bool:
    return all(condition.holds(gaql.value_at(row, condition.field)) for condition in query.conditions)


# --------------------------------------------------------------------------------- unknown fields


def _first_unknown(body: dict[str, Any]) -> Response | None:
    """What protobuf's JSON parser refuses: unknown names, wrong types, unknown enum values, double oneofs."""
    extra = set(body) - {
        "mutateOperations",
        "partialFailure",
        "validateOnly",
        "responseContentType",
        "customerId",
    }
    if extra:
        return _unknown_name(min(extra), "")
    operations = body.get("mutateOperations")
    if not isinstance(operations, list) or not operations:
        return one(
            "INVALID_ARGUMENT",
            Wrong("requestError", "REQUIRED_FIELD_MISSING", "The mutate operations are missing."),
        )
    for index, operation in enumerate(operations):
        found = _unknown_in(operation, f"mutate_operations[{index}]")
        if found is not None:
            return found
    return None


def _unknown_in(operation: Any, where: str) -> Response | None:
    if not isinstance(operation, dict) or len(operation) != 1:
        return failure(
            "INVALID_ARGUMENT",
            f"Invalid value at '{where}' (oneof), oneof field 'operation' needs one value.",
            [],
        )
    ((name, change),) = operation.items()
    if name not in RESOURCES:
        return _unknown_name(name, where)
    where = f"{where}.{snake(name)}"
    if not isinstance(change, dict):
        return failure("INVALID_ARGUMENT", f"Invalid value at '{where}'.", [])
    extra = set(change) - {"create", "update", "remove", "updateMask"}
    if extra:
        return _unknown_name(min(extra), where)
    for verb in ("create", "update"):
        if verb in change:
            for problem in _shape(name).iter_errors(change[verb]):
                return _bad_shape(problem, f"{where}.{verb}")
    return None


def _bad_shape(problem: Any, where: str) -> Response:
    path = where + "".join(
        f"[{part}]" if isinstance(part, int) else f".{snake(part)}" for part in problem.instance_path
    )
    unknown = re.search(r"Additional properties are not allowed \('([^']+)'", problem.message)
    if unknown:
        return _unknown_name(unknown[1], path)
    return _bad_request(f"Invalid value at '{path}': {problem.message}", path)


def _unknown_name(name: str, where: str) -> Response:
    place = f" at '{where}'" if where else ""
    return _bad_request(
        f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.', where
    )


def _bad_request(message: str, where: str) -> Response:
    violation = {"field": where, "description": message}
    details = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}]
    return answer(
        400, {"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT", "details": details}}
    )


@cache
def _shape(operation: str) -> Any:
    """The SDK's message alone: names, types and enums, without anything about what is required."""
    return jsonschema_rs.validator_for(_only_shape(_message(operation)))


def _message(operation: str) -> Any:
    """The schema of what an operation changes: an Ad is described inside its AdGroupAd."""
    if operation == "adOperation":
        return REFERENCE["schemas"]["adGroupAdOperation"]["properties"]["ad"]
    return REFERENCE["schemas"][operation]


def _leaf_of(operation: str) -> updates.Kind:
    """Tells of a camelCase path whether it is a leaf, a message with subfields, or nothing of this resource."""

    def kind(path: str) -> str:
        schema = _message(operation)
        for part in path.split("."):
            schema = schema.get("properties", {}).get(part)
            if schema is None:
                return "unknown"
        return "message" if schema.get("properties") else "leaf"

    return kind


def _only_shape(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_only_shape(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "string" and "pattern" in schema:
        integer = "d+$" in schema["pattern"] and schema["pattern"].startswith(("^-?", "^\\d+$"))
        return (
            {"type": ["string", "integer"], "pattern": schema["pattern"]} if integer else {"type": "string"}
        )
    out = {}
    for key, value in schema.items():
        if key == "properties":
            out[key] = {name: _only_shape(each) for name, each in value.items()}
        elif key not in BEYOND_SHAPE:
            out[key] = _only_shape(value)
    return out


def _known_field(field: str) -> bool:
    """Whether a GAQL field exists: in the SDK's message, or among those that Google fills in."""
    if field in READABLE:
        return True
    resource, *parts = field.split(".")
    operation = next((name for name, found in RESOURCES.items() if found[0] == resource), None)
    if operation is None or not parts:
        return False
    schema: Any = REFERENCE["schemas"][operation]
    for part in parts:
        if part in READ_ONLY and part == parts[-1]:
            return True
        schema = schema.get("properties", {}).get(gaql.camel(part))
        if schema is None:
            return False
        schema = schema.get("items", schema)
    return True


# -------------------------------------------------------------------------------------- envelopes


def error(wrong: Wrong, path: tuple[Any, ...], details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """One `GoogleAdsError`; `path` leads to the create, `wrong.path` goes on inside it."""
    out: dict[str, Any] = {"errorCode": {wrong.kind: wrong.code}, "message": wrong.message}
    if wrong.trigger:
        out["trigger"] = {"stringValue": wrong.trigger}
    elements = [*path]
    for part in wrong.path:
        if isinstance(part, int):
            elements[-1] = (elements[-1][0], part)
        else:
            elements.append((part, None))
    if elements:
        out["location"] = {"fieldPathElements": [_element(name, index) for name, index in elements]}
    return {**out, "details": details} if details else out


def _element(name: str, index: int | None) -> dict[str, Any]:
    return {"fieldName": name} if index is None else {"fieldName": name, "index": index}


def one(status: str, wrong: Wrong) -> Response:
    return failure(status, "Request contains an invalid argument.", [error(wrong, ())])


def failure(status: str, message: str, errors: list[dict[str, Any]]) -> Response:
    """`google.rpc.Status` as JSON; with a `GoogleAdsFailure` where Google Ads itself refused."""
    request_id = uuid.uuid4().hex[:22]
    body: dict[str, Any] = {"code": HTTP[status], "message": message, "status": status}
    if errors:
        body["details"] = [{"@type": FAILURE, "errors": errors, "requestId": request_id}]
    return answer(HTTP[status], {"error": body}, request_id)


def answer(status: int, body: Mapping[str, Any], request_id: str = "") -> Response:
    return Response.json(status, body, {"request-id": request_id or uuid.uuid4().hex[:22]})
