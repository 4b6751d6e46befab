"""Pages of models that are not ours, in our theme: people, tokens, tasks and schedules."""

from __future__ import annotations

from typing import Any

# imported first: they register their own pages, which ours replace
import axes.admin  # noqa: F401
import django.contrib.auth.admin  # noqa: F401
import django_celery_results.admin  # noqa: F401
import knox.admin  # noqa: F401
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_celery_beat import admin as beat
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from django_celery_results.models import GroupResult, TaskResult
from knox.models import AuthToken
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from governance.admin_base import EMPTY, GovernedTabularInline, PlainLedgerAdmin
from governance.exports import ExportsLists
from governance.models import Grant, User

for theirs in (
    Group, TaskResult, GroupResult, PeriodicTask, ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule,
    AuthToken, AccessAttempt, AccessFailureLog, AccessLog,
):  # fmt: skip
    if admin.site.is_registered(theirs):
        admin.site.unregister(theirs)


# -------------------------------------------------------------------------------------------- people

#: Only a superuser hands these out: with them anyone could become one.
POWERS = ("is_superuser", "user_permissions")


class GrantInline(GovernedTabularInline):
    model = Grant
    fields = ("brand", "market")
    autocomplete_fields = ("brand", "market")
    show_change_link = False
    verbose_name = _("brand and market")
    verbose_name_plural = _(
        "Which brands and markets they see and change (only a brand: in every market; everything: People, Grants)"
    )


@admin.register(User)
class UserAdmin(ExportsLists, DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "full_name", "email", "active_badge", "last_login")
    list_filter = ("is_active", "is_staff", ("groups", admin.RelatedOnlyFieldListFilter))
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    list_per_page = 50
    show_full_result_count = False
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Who it is"), {"fields": ("first_name", "last_name", "email", "time_zone")}),
        (
            _("What they may do"),
            {"fields": ("is_active", "is_staff", "groups")},
        ),
        (_("For superusers"), {"fields": POWERS, "classes": ["collapse"]}),
        (_("Record"), {"fields": ("last_login", "date_joined"), "classes": ["collapse"]}),
    )
    readonly_fields = ("last_login", "date_joined")
    add_fieldsets = (
        (None, {"fields": ("username", "email", "usable_password", "password1", "password2")}),
        (_("What they may do"), {"fields": ("groups",)}),
    )
    filter_horizontal = ("user_permissions",)
    inlines = (GrantInline,)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget()
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None and db_field.name == "groups":
            field.label, field.help_text = _("Roles"), _("What each role may do stands in docs/security.md.")
        return field

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "email":
            field.help_text = _("Where notices and alerts are mailed to.")
        return field

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.is_staff = True  # who is added here works here
        super().save_model(request, obj, form, change)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or _names_a_person(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._below(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._below(request, obj)

    def _below(self, request: HttpRequest, obj: Any) -> bool:
        return request.user.is_superuser or not (isinstance(obj, User) and obj.is_superuser)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        own = tuple(super().get_readonly_fields(request, obj))
        if request.user.is_superuser:
            return own
        # nobody widens their own roles
        return (*own, *POWERS, *(("groups",) if obj == request.user else ()))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        rows, twice = super().get_search_results(request, queryset, search_term)
        return (rows.filter(is_active=True) if _names_a_person(request) else rows), twice

    @admin.display(description=_("Name"), ordering="last_name")
    def full_name(self, row: User) -> str:
        return row.get_full_name() or EMPTY

    @display(description=_("State"), ordering="is_active", label={"on": "success", "off": "danger"})
    def active_badge(self, row: User) -> tuple[str, Any]:
        return ("on", _("Active")) if row.is_active else ("off", _("Inactive"))


def _names_a_person(request: HttpRequest) -> bool:
    """Choosing an owner in a form: colleagues are found by name by everyone who works here."""
    match = request.resolver_match
    return bool(
        match and match.url_name == "autocomplete" and request.user.is_authenticated and request.user.is_staff
    )


@admin.register(Group)
class GroupAdmin(ExportsLists, DjangoGroupAdmin, ModelAdmin):
    list_display = ("name",)
    search_fields = ("name",)


@admin.register(AccessAttempt, AccessFailureLog)
class SignInAdmin(PlainLedgerAdmin):
    """Refused sign-ins; deleting an attempt lifts its lockout."""

    list_display = ("attempt_time", "username", "ip_address", "path_info")
    list_filter = ("attempt_time",)
    search_fields = ("username", "ip_address")
    date_hierarchy = "attempt_time"
    ordering = ("-attempt_time",)
    fields = ("attempt_time", "username", "ip_address", "user_agent", "path_info")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("axes.delete_accessattempt")


@admin.register(AccessLog)
class AccessLogAdmin(PlainLedgerAdmin):
    list_display = ("attempt_time", "logout_time", "username", "ip_address")
    list_filter = ("attempt_time",)
    search_fields = ("username", "ip_address")
    date_hierarchy = "attempt_time"
    ordering = ("-attempt_time",)
    fields = ("attempt_time", "logout_time", "username", "ip_address", "user_agent", "path_info")


# --------------------------------------------------------------------------------------------- tasks

TASK_BADGES = {
    "SUCCESS": "success", "FAILURE": "danger", "REVOKED": "danger", "STARTED": "info", "RETRY": "warning",
    "PENDING": "info", "RECEIVED": "info",
}  # fmt: skip


@admin.register(TaskResult)
class TaskResultAdmin(PlainLedgerAdmin):
    list_display = ("task_id", "task_name", "status_badge", "date_created", "date_done", "worker")
    list_filter = ("status", "date_done")
    search_fields = ("task_id", "task_name")
    date_hierarchy = "date_done"
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("task_id", "task_name", "status", "worker", "periodic_task_name")}),
        (_("When"), {"fields": ("date_created", "date_started", "date_done")}),
        (_("Called with"), {"fields": ("task_args", "task_kwargs")}),
        (_("Answer"), {"fields": ("result", "traceback")}),
    )

    @display(description=_("Status"), ordering="status", label=TASK_BADGES)
    def status_badge(self, row: TaskResult) -> str:
        return row.status


@admin.register(GroupResult)
class GroupResultAdmin(PlainLedgerAdmin):
    list_display = ("group_id", "date_created", "date_done")
    list_filter = ("date_done",)
    search_fields = ("group_id",)
    ordering = ("-id",)
    fields = ("group_id", "date_created", "date_done", "result")


class ThemedTaskSelect(UnfoldAdminSelectWidget, beat.TaskSelectWidget):
    """The list of registered tasks, in the theme."""


class PeriodicTaskForm(beat.PeriodicTaskForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = ThemedTaskSelect()


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(beat.PeriodicTaskAdmin, ModelAdmin):
    form = PeriodicTaskForm
    change_form_template = None  # beat's own has an inline script, which our content security policy refuses
    list_display = ("name", "task", "scheduler", "enabled_badge", "last_run_at", "total_run_count")
    list_filter = ("enabled", "one_off")
    date_hierarchy = None
    ordering = ("name",)

    @display(description=_("State"), ordering="enabled", label={"on": "success", "off": "danger"})
    def enabled_badge(self, row: PeriodicTask) -> tuple[str, Any]:
        return ("on", _("Enabled")) if row.enabled else ("off", _("Disabled"))


class ScheduleAdmin(ModelAdmin):
    list_per_page = 50


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(ScheduleAdmin):
    list_display = ("__str__", "every", "period")
    list_filter = ("period",)


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(ScheduleAdmin):
    list_display = ("__str__", "human_readable", "timezone")
    fields = ("human_readable", "minute", "hour", "day_of_month", "month_of_year", "day_of_week", "timezone")
    readonly_fields = ("human_readable",)


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(ScheduleAdmin):
    list_display = ("clocked_time",)


@admin.register(SolarSchedule)
class SolarScheduleAdmin(ScheduleAdmin):
    list_display = ("event", "latitude", "longitude")
