"""The media library: what brands have, how it came in, where it is used, and which platforms take it."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminForm
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from governance.admin_base import GovernedAdmin, GovernedForm, mono, related
from governance.models import Brand
from trafficking.media.library import (
    Added,
    add_upload,
    add_url,
    ads_using,
    delete_file,
    may_use,
    thumbnail_name,
)
from trafficking.models import Ad, MediaFile
from trafficking.platforms.registry import platforms

#: Ads that the page of a file lists; the rest are counted.
SHOWN_ADS = 20


class AddForm(forms.Form):
    """A file, or where to fetch it from."""

    brand = forms.ModelChoiceField(
        Brand.objects.none(), label=_("Brand"), widget=UnfoldAdminSelectWidget,
        help_text=_("Whose library it goes to. Ads of other brands can't use it."),
    )  # fmt: skip
    file = forms.FileField(
        label=_("File"), required=False, widget=UnfoldAdminFileFieldWidget,
        help_text=_("JPEG, PNG, GIF, WebP, MP4, MOV, WebM or AVI."),
    )  # fmt: skip
    source_url = forms.CharField(
        label=_("Or its address"), required=False, max_length=2000, widget=UnfoldAdminTextInputWidget,
        help_text=_("A public https:// address that needs no sign-in. It is fetched once, now."),
    )  # fmt: skip
    name = forms.CharField(
        label=_("Name"), required=False, max_length=200, widget=UnfoldAdminTextInputWidget,
        help_text=_("What people and creative sheets call it. Empty: the file's own name."),
    )  # fmt: skip

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        rows = Brand.objects.current().order_by("code")
        self.fields["brand"].queryset = rows.filter(pk__in=[row.pk for row in rows if may_use(user, row.pk)])

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not self.errors and bool(given.get("file")) == bool(given.get("source_url")):
            self.add_error("file", _("Choose a file, or write its address; not both."))
        return given

    def save(self) -> Added | None:
        """None: it was refused, and the form says why."""
        given = self.cleaned_data
        shared = {"brand": given["brand"], "by": self.user, "name": given["name"]}
        try:
            if given["file"]:
                return add_upload(upload=given["file"], **shared)
            return add_url(url=given["source_url"], **shared)
        except ValidationError as refused:
            self.add_error(None, refused)
            return None


class MediaFileForm(GovernedForm):
    """Only the name can be changed; a library is its brand's in every market."""

    def _require_reach(self) -> None:
        if self.request is not None and not may_use(self.request.user, self.instance.brand_id):
            self.add_error(None, ValidationError(_("That brand is not yours."), code="outside_reach"))


@admin.register(MediaFile)
class MediaFileAdmin(GovernedAdmin):
    form = MediaFileForm
    empty_hint = _("Add an image or video: ads name it, and it is uploaded to each ad account that needs it.")
    list_display = (
        "picture",
        "name",
        "brand",
        "type_badge",
        "measures",
        "size_shown",
        "uploaded_by",
        "created_at",
    )
    list_display_links = ("picture", "name")
    list_filter = (*related("brand", "uploaded_by"), "content_type", ("created_at", RangeDateFilter))
    search_fields = ("name", "sha256", "source_url")
    list_select_related = ("brand", "uploaded_by")
    ordering = ("-id",)
    readonly_fields = (
        "picture", "brand", "measures", "size_shown", "content_type", "codec", "source_url", "uploaded_by",
        "content_hash", "snippet", "download", "platforms_shown",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("picture", "name", "brand", "download")}),
        (_("Use this"), {"fields": ("snippet", "platforms_shown")}),
        (_("Measured"), {"fields": ("content_type", "measures", "size_shown", "codec", "content_hash")}),
        (_("Origin"), {"fields": ("source_url", "uploaded_by")}),
    )
    help_texts: ClassVar[dict[str, Any]] = {
        "name": _("What people and creative sheets call it; unique names are easier to write in a sheet."),
    }

    # --- rights: a brand's library is open to whoever has the brand in any market

    def _within(self, request: HttpRequest, obj: Any) -> bool:
        return not isinstance(obj, MediaFile) or may_use(request.user, obj.brand_id)

    # --- adding

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Outside of a transaction: fetching a file may take a minute, and nothing else waits for it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = AddForm(request.user, request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid() and (added := form.save()):
            self._tell(request, added)
            return HttpResponseRedirect(self.page("change", added.row.pk))
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": gettext("Add a file to the media library"),
            "form": form, "adminform": AdminForm(form, [(None, {"fields": list(form.fields)})], {}), "media": self.media + form.media, "back": self.page("changelist"), "submit": gettext("Add it"),
        }  # fmt: skip
        return TemplateResponse(request, "trafficking/admin/media_add.html", context)

    def _tell(self, request: HttpRequest, added: Added) -> None:
        if added.created:
            messages.success(request, gettext("“%(name)s” is in the library.") % {"name": added.row.name})
            return
        text = gettext("The library of %(brand)s has this very file already, as “%(name)s”.")
        messages.info(request, text % {"brand": added.row.brand.code, "name": added.row.name})

    # --- where it is used

    def panels(self, request: HttpRequest, object_id: str | None) -> list[dict[str, Any]]:
        shown = super().panels(request, object_id)
        row = self.get_object(request, object_id) if object_id and request.method == "GET" else None
        if row is None:
            return shown
        use = {
            "title": _("Used in"),
            "template": "trafficking/admin/media_use.html",
            "panel": _use(row, request.user),
        }
        return [use, *shown]

    # --- deleting

    def delete_model(self, request: HttpRequest, obj: MediaFile) -> None:
        delete_file(row=obj, by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[MediaFile]) -> None:
        for row in queryset:
            delete_file(row=row, by=request.user)

    # --- the bytes: to people in reach only

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<int:pk>/thumbnail/", wrap(self.thumbnail_view), name="trafficking_mediafile_thumbnail"),
            path("<int:pk>/content/", wrap(self.content_view), name="trafficking_mediafile_content"),
        ]
        return [*own, *super().get_urls()]

    def thumbnail_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self._row_to_read(request, pk)
        answer = _served(row, thumbnail_name(row), "image/jpeg", attachment=False)
        answer["Cache-Control"] = "private, max-age=3600"
        return answer

    def content_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self._row_to_read(request, pk)
        answer = _served(row, row.file.name, row.content_type, attachment=True)
        answer["Cache-Control"] = "private, no-store"
        return answer

    def _row_to_read(self, request: HttpRequest, pk: int) -> MediaFile:
        row = self.row_or_404(request, str(pk))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row

    # --- shown

    @admin.display(description=_("picture"))
    def picture(self, row: MediaFile) -> SafeString | str:
        if row.as_file().is_video:
            return format_html(
                '<span class="material-symbols-outlined" aria-label="{}">movie</span>', gettext("Video")
            )
        url = self.page("thumbnail", row.pk)
        return format_html(
            '<img src="{}" alt="{}" loading="lazy" style="max-height:6rem;max-width:10rem">', url, row.name
        )

    @display(description=_("type"), ordering="content_type", label={"image": "info", "video": "primary"})
    def type_badge(self, row: MediaFile) -> tuple[str, str]:
        kind, _slash, sort = row.content_type.partition("/")
        return kind, sort.removeprefix("x-").upper()

    @admin.display(description=_("measures"), ordering="width")
    def measures(self, row: MediaFile) -> str:
        size = f"{row.width} × {row.height}"
        if row.duration_s is None:
            return size
        seconds = f"{row.duration_s.normalize():f} s"
        moving = "" if row.as_file().is_video else f" ({gettext('animated')})"
        return f"{size} · {seconds}{moving}"

    @admin.display(description=_("size"), ordering="size")
    def size_shown(self, row: MediaFile) -> str:
        return filesizeformat(row.size)

    @admin.display(description=_("content (sha-256)"))
    def content_hash(self, row: MediaFile) -> SafeString | str:
        return mono(row.sha256)

    @admin.display(description=_("in an ad's media"))
    def snippet(self, row: MediaFile) -> SafeString | str:
        kind = "VIDEO" if row.as_file().is_video else "IMAGE"
        return mono(json.dumps([{"kind": kind, "file": row.sha256}]))

    @admin.display(description=_("download"))
    def download(self, row: MediaFile) -> SafeString:
        return format_html('<a class="ot-link" href="{}">{}</a>', self.page("content", row.pk), row.name)

    @admin.display(description=_("platforms"))
    def platforms_shown(self, row: MediaFile) -> SafeString | str:
        """What each platform would refuse of it, by that platform's own limits."""
        lines = [(known.label, _verdict(known, row)) for known in platforms().values()]
        return format_html("<ul>{}</ul>", format_html_join("", "<li><strong>{}</strong>: {}</li>", lines))


def _use(row: MediaFile, user: Any) -> dict[str, Any]:
    """Ads that use it: those that the person may open, and how many others there are."""
    ads = ads_using(row)
    mine = set(Ad.objects.visible_to(user).filter(pk__in=[ad.pk for ad in ads]).values_list("pk", flat=True))
    shown = [ad for ad in ads if ad.pk in mine][:SHOWN_ADS]
    return {"ads": shown, "others": len(ads) - len(shown)}


def _verdict(known: Any, row: MediaFile) -> str:
    file = row.as_file()
    found = known.media_findings(file, "VIDEO" if file.is_video else "IMAGE")
    return " ".join(f"{each.message} {each.remedy}".strip() for each in found) or gettext("takes it")


def _served(row: MediaFile, name: str, content_type: str, *, attachment: bool) -> FileResponse:
    """Never run or guessed at by a browser, whatever a stranger put into the file."""
    try:
        file = row.file.storage.open(name, "rb")
    except OSError as error:
        raise Http404 from error
    answer = FileResponse(file, as_attachment=attachment, filename=row.name, content_type=content_type)
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer
