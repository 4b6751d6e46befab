"""All settings, from the environment, each with a default that is safe for a first run on one machine.

`omnitraffick/checks.py` refuses dangerous combinations at start. docs/operations.md lists the variables.
"""

import datetime
import os
import sys
from pathlib import Path
from typing import Any

import environ
from django.templatetags.static import static
from django.urls import reverse_lazy
from kombu import Exchange, Queue

from omnitraffick.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(os.environ.get("ENV_FILE", str(BASE_DIR / ".env")))

#: Everything that a run writes: database, broker folder, logs, uploads, generated keys.
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
VAR_DIR.mkdir(parents=True, exist_ok=True)

TESTING = "pytest" in sys.modules


def generated_secret(name: str, make: str) -> str:
    """A secret from the environment, else one made at first use and kept in VAR_DIR (mode 0600).

    Production sets the variables: check omnitraffick.E001 refuses generated secrets there.
    """
    value = env.str(name, default="")
    if value:
        return value
    kept = VAR_DIR / f"{name.lower()}.key"
    if not kept.exists():
        if make == "fernet":
            from cryptography.fernet import Fernet

            fresh = Fernet.generate_key().decode()
        else:
            from django.core.management.utils import get_random_secret_key

            fresh = get_random_secret_key()
        partial = kept.with_suffix(f".{os.getpid()}")
        partial.touch(mode=0o600)
        partial.write_text(fresh)
        try:
            os.link(partial, kept)  # the first of several processes wins, the others read its key
        except FileExistsError:
            pass  # another process was first
        finally:
            partial.unlink()
    return kept.read_text()


# --- what kind of installation this is
PRODUCTION = env.bool("PRODUCTION", default=False)
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = generated_secret("SECRET_KEY", "django")
#: Fernet keys for credentials at rest, newest first; older ones only decrypt (docs/security.md, rotation).
ENCRYPTION_KEYS = [key.strip() for key in generated_secret("ENCRYPTION_KEYS", "fernet").split(",")]
SECRETS_GENERATED = not (env.str("SECRET_KEY", default="") and env.str("ENCRYPTION_KEYS", default=""))
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else ["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "omnitraffick",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.inlines",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "simple_history",
    "import_export",
    "django_celery_results",
    "django_celery_beat",
    "axes",
    "csp",
    "django_structlog",
    "governance",
    "campaigns",
    "trafficking",
    "deploy",
    "tracking",
    "copilot",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "governance.middleware.ActorMiddleware",
    "governance.middleware.PersonZoneMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "omnitraffick.urls"
WSGI_APPLICATION = "omnitraffick.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- data
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'omnitraffick.sqlite3'}")}
_database = DATABASES["default"]
_database["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE: a transaction that will write takes the lock at its start and waits, instead of failing
    # half-way with "database is locked". No mmap_size: it corrupts WAL databases.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
else:
    _database["CONN_HEALTH_CHECKS"] = True

REDIS_URL = env.str("REDIS_URL", default="")
if REDIS_URL:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- people
AUTH_USER_MODEL = "governance.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # an office shares one address
AXES_FAILURE_LIMIT = env.int("AXES_FAILURE_LIMIT", default=8)
AXES_COOLOFF_TIME = 1  # hours
AXES_IPWARE_PROXY_COUNT = env.int("TRUSTED_PROXIES", default=0)

# --- language and time: stored in UTC, shown in the person's zone; flights are computed in the account's
LANGUAGE_CODE = "en"
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

# --- web
STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(VAR_DIR / "static")))
MEDIA_ROOT = VAR_DIR / "uploads"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if PRODUCTION:
    # hashed names, compressed once by collectstatic (the image's build does it), cached for good by browsers
    STORAGES["staticfiles"] = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
else:
    WHITENOISE_USE_FINDERS = True  # served from where they lie: nothing to collect before the first start
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
#: Larger plan, sheet and governance files are refused at every door (bytes).
IMPORT_MAX_BYTES = env.int("IMPORT_MAX_BYTES", default=20 * 1024 * 1024)
#: Imports up to this size (all files together) are worked on while the person waits; larger ones by a worker.
IMPORT_AT_ONCE_BYTES = env.int("IMPORT_AT_ONCE_BYTES", default=32 * 1024)
#: An import whose worker gave no sign of life for so long is taken up by another one.
IMPORT_LEASE_S = env.float("IMPORT_LEASE_S", default=120.0)
#: Uploaded files are deleted after so many days; what was imported from them stays, and who did it.
IMPORT_KEEP_DAYS = env.int("IMPORT_KEEP_DAYS", default=7)
#: The most rows that one export has.
EXPORT_MAX_ROWS = env.int("EXPORT_MAX_ROWS", default=100_000)
#: Media files are refused above these (bytes, pixels). Platforms have limits of their own, told by QA.
MEDIA_MAX_VIDEO_BYTES = env.int("MEDIA_MAX_VIDEO_BYTES", default=1024**3)
MEDIA_MAX_IMAGE_BYTES = env.int("MEDIA_MAX_IMAGE_BYTES", default=30 * 1024 * 1024)
MEDIA_MAX_PIXELS = env.int("MEDIA_MAX_PIXELS", default=64_000_000)
#: Fetching a file from an address that a person wrote: the most that it may take, and whether http:// is allowed.
MEDIA_FETCH_SECONDS = env.float("MEDIA_FETCH_SECONDS", default=60.0)
#: Likewise for all files of one creative sheet together.
MEDIA_FETCH_IMPORT_SECONDS = env.float("MEDIA_FETCH_IMPORT_SECONDS", default=300.0)
MEDIA_FETCH_HTTP = env.bool("MEDIA_FETCH_HTTP", default=False)
#: Uploads lie here until they are read: /tmp may be small.
FILE_UPLOAD_TEMP_DIR = VAR_DIR / "incoming"
FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True)

SECURE_SSL = env.bool("SECURE_SSL", default=PRODUCTION)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL
SECURE_SSL_REDIRECT = SECURE_SSL
SECURE_REDIRECT_EXEMPT = [r"^health/"]  # the container's own probe speaks plain HTTP
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_SSL else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_SSL
if env.bool("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_AGE = env.int("SESSION_SECONDS", default=12 * 3600)
SESSION_COOKIE_HTTPONLY = True
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        # Unfold's Alpine evaluates attribute expressions; no inline script is allowed
        "script-src": ["'self'", "'unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'self'"],
    },
}

# --- API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "governance.api.authentication.ApiTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["governance.api.permissions.RolePermission"],
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "rest_framework.filters.SearchFilter",
        "rest_framework.filters.OrderingFilter",
    ],
    "DEFAULT_PAGINATION_CLASS": "governance.api.pagination.NewestFirstCursor",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "governance.api.errors.error_envelope",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "rest_framework.parsers.JSONParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_VERSIONING_CLASS": None,
    "COERCE_DECIMAL_TO_STRING": True,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
#: How long an API token lives where nobody says, and the longest that may be asked for.
API_TOKEN_DAYS = env.int("API_TOKEN_DAYS", default=90)
API_TOKEN_MAX_DAYS = env.int("API_TOKEN_MAX_DAYS", default=365)
KNOX_TOKEN_MODEL = "knox.AuthToken"  # noqa: S105  (a model: it holds the hashes; whose and what for: governance.ApiToken)
REST_KNOX = {
    "TOKEN_TTL": datetime.timedelta(days=API_TOKEN_DAYS),
    "AUTH_HEADER_PREFIX": "Token",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "OmniTraffick API",
    "VERSION": "1",
    "DESCRIPTION": "Plans, campaigns, tickets and deployments. Errors share one envelope; see docs/api.md.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "PREPROCESSING_HOOKS": ["governance.api.schema.paths_without_slash"],
    "ENUM_NAME_OVERRIDES": {
        "AdFormatEnum": "trafficking.models.tree.FORMATS",
        "PlanFormatEnum": "campaigns.models.MediaPlan.Format",
        "CampaignStatusEnum": "campaigns.models.Campaign.Status",
        "TicketStatusEnum": "trafficking.statuses.Status",
        "GuidelineStateEnum": "copilot.models.GuidelineDocument.State",
        "DeploymentStateEnum": "deploy.models.Deployment.State",
        "OperationStateEnum": "deploy.models.Operation.State",
        "DeploymentKindEnum": "deploy.models.Deployment.Kind",
        "BudgetTypeEnum": "campaigns.models.BudgetType",
        "AlertSeverityEnum": "deploy.models.Alert.Severity",
        "NoticeKindEnum": "governance.models.NoticeKind",
        "WebhookDeliveryStateEnum": "governance.models.WebhookDelivery.State",
        "ApiTokenStateEnum": "governance.models.tokens.STATES",
        "FindingSeverityEnum": "governance.findings.SEVERITIES",
        "ImportStateEnum": "campaigns.import_runs.ImportRun.State",
        "ImportKindEnum": "trafficking.imports.kinds.KIND_CHOICES",
        "RequestTypeEnum": "trafficking.models.Ticket.RequestType",
        "BulkChangeKindEnum": "trafficking.bulk_requests.KINDS",
        "CampaignBulkChangeKindEnum": "campaigns.bulk_edits.KINDS",
        "FollowingRequestTypeEnum": "trafficking.api_requests.FOLLOWING",
    },
}

# --- Celery: the database is the truth; a lost message is enqueued again by the sweeper
BROKER_DIR = VAR_DIR / "broker"
if REDIS_URL:
    CELERY_BROKER_URL = REDIS_URL
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {"visibility_timeout": 3600}
else:
    for _folder in ("queue", "processed", "control"):
        (BROKER_DIR / _folder).mkdir(parents=True, exist_ok=True)
    CELERY_BROKER_URL = "filesystem://"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(BROKER_DIR / "queue"),
        "data_folder_out": str(BROKER_DIR / "queue"),
        "processed_folder": str(BROKER_DIR / "processed"),
        "control_folder": str(BROKER_DIR / "control"),
        "polling_interval": 0.02,
    }
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_RESULT_BACKEND = "django-db"
CELERY_RESULT_EXTENDED = True
CELERY_RESULT_EXPIRES = env.int("TASK_RESULT_SECONDS", default=30 * 86_400)
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 4
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_TIME_LIMIT = env.int("TASK_TIME_LIMIT", default=900)
#: A worker that names no queues serves all three. docs/operations.md says how to divide them.
CELERY_TASK_DEFAULT_QUEUE = "deploy"
CELERY_TASK_QUEUES = [Queue(name, Exchange(name), routing_key=name) for name in ("deploy", "reads", "urgent")]
CELERY_TASK_ROUTES = {
    "governance.tasks.*": {"queue": "reads"},
    "trafficking.tasks.*": {"queue": "reads"},  # imports never stand before a deployment
    "copilot.tasks.*": {"queue": "reads"},
    "deploy.watch_tasks.*": {"queue": "reads"},  # drift, reviews, inventory: they may wait
    "deploy.tasks.carry_out_stop": {"queue": "urgent"},
    "deploy.tasks.stop_account": {"queue": "urgent"},
    "deploy.tasks.look_after_stops": {"queue": "urgent"},
}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_BEAT_SYNC_EVERY = 1  # each run is in the database at once: `manage.py beat_alive` reads it
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "look after imports": {
        "task": "trafficking.tasks.look_after_imports",
        "schedule": 30.0,
        "options": {"expires": 60.0},
    },
    "look after guidelines": {
        "task": "copilot.tasks.look_after_guidelines",
        "schedule": 60.0,
        "options": {"expires": 120.0},
    },
    "send notices": {
        "task": "governance.tasks.send_notices",
        "schedule": 15.0,
        "options": {"expires": 30.0},
    },
    "sweep deployments": {"task": "deploy.tasks.sweep_deployments", "schedule": 10.0},
    "watch accounts": {
        "task": "deploy.watch_tasks.watch_accounts",
        "schedule": 60.0,
        "options": {"expires": 120.0},
    },
    "rehearse coming": {
        "task": "deploy.watch_tasks.rehearse_coming",
        "schedule": 300.0,
        "options": {"expires": 300.0},
    },
    "follow reviews": {
        "task": "deploy.watch_tasks.follow_reviews",
        "schedule": 60.0,
        "options": {"expires": 120.0},
    },
    "tell what passed": {
        "task": "deploy.watch_tasks.tell_what_passed",
        "schedule": 60.0,
        "options": {"expires": 120.0},
    },
    "look after stops": {
        "task": "deploy.tasks.look_after_stops",
        "schedule": 5.0,
        "options": {"expires": 30.0},
    },
}
DJANGO_CELERY_BEAT_TZ_AWARE = True

# --- the platforms
SANDBOX_HOST = env.str("SANDBOX_HOST", default="127.0.0.1")
#: First port of the sandbox servers; each platform takes the next one, in the order of their keys.
SANDBOX_PORT = env.int("SANDBOX_PORT", default=9710)
#: Real accounts are called only where this is set; otherwise a deployment to one is refused.
LIVE_PLATFORMS = env.bool("LIVE_PLATFORMS", default=False)
PLATFORM_TIMEOUT_S = env.float("PLATFORM_TIMEOUT_S", default=30.0)
#: A worker holds a deployment this long after its last sign of life; must outlast one call.
DEPLOY_LEASE_S = env.float("DEPLOY_LEASE_S", default=120.0)
#: After a lost answer: when to look for the object, each time; only then is it sent again.
DEPLOY_LOOK_AFTER_S = env.list("DEPLOY_LOOK_AFTER_S", cast=float, default=[1.0, 10.0])
#: How often one call may be sent before a person is asked.
DEPLOY_MAX_SENDS = env.int("DEPLOY_MAX_SENDS", default=6)
#: A deployment that could not be finished in this time fails.
DEPLOY_GIVE_UP_S = env.float("DEPLOY_GIVE_UP_S", default=86_400.0)
#: A worker waits in place for an account's rate budget no longer than this; else it gives the deployment back.
GATE_PATIENCE_S = env.float("GATE_PATIENCE_S", default=0.25)
#: What is to go live within this time is rehearsed, and again each time the second one has passed.
REHEARSE_AHEAD_S = env.float("REHEARSE_AHEAD_S", default=6 * 3600.0)
REHEARSE_EVERY_S = env.float("REHEARSE_EVERY_S", default=1800.0)
#: An account that was found fit to build in is not asked again for so long.
PREFLIGHT_EVERY_S = env.float("PREFLIGHT_EVERY_S", default=300.0)
#: What was built and can't be seen yet is read again after these waits; then the deployment fails.
DEPLOY_PROVE_AFTER_S = env.list("DEPLOY_PROVE_AFTER_S", cast=float, default=[1.0, 5.0, 20.0, 60.0])
#: A queued deployment whose message is older is enqueued again: the broker may have lost it.
ENQUEUE_AGAIN_AFTER_S = env.float("ENQUEUE_AGAIN_AFTER_S", default=60.0)
#: How many deployments of one ad account are with the broker or running at once; the others wait in the database, so
#: that a busy account never stands before a quiet one.
DEPLOY_ACCOUNT_PARALLEL = env.int("DEPLOY_ACCOUNT_PARALLEL", default=4)
#: Part of an account's calls that looking (drift, reviews, inventory) may use, 0 to 1; deployments may use them all.
RATE_READS_SHARE = env.float("RATE_READS_SHARE", default=0.3)
#: How often an engaged kill switch asks each account whether something runs again.
STOP_LOOK_S = env.float("STOP_LOOK_S", default=60.0)

# --- watching what was built
#: How often the live state of each account's campaigns is held against what was applied.
DRIFT_EVERY_S = env.float("DRIFT_EVERY_S", default=3600.0)
#: An ad in review is looked at again after a tenth of the time since it was switched on, within these two.
REVIEW_EVERY_S = env.list("REVIEW_EVERY_S", cast=float, default=[60.0, 21_600.0])

# --- copilot: without keys it works from the documents alone (docs/copilot.md)
OPENAI_API_KEY = env.str("OPENAI_API_KEY", default="")
#: Another service that speaks OpenAI's API. Empty: OpenAI's own.
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", default="")
COPILOT_MODEL = env.str("COPILOT_MODEL", default="gpt-4o")
COPILOT_EMBEDDING_MODEL = env.str("COPILOT_EMBEDDING_MODEL", default="text-embedding-3-small")
COPILOT_TIMEOUT_S = env.float("COPILOT_TIMEOUT_S", default=20.0)
#: What models may cost a day for a brand that has no budget of its own (USD).
COPILOT_DAILY_USD = env.float("COPILOT_DAILY_USD", default=5.0)
#: USD for a million tokens, in and out, where it differs from the list: {"gpt-4o": ["2.50", "10.00"]}.
COPILOT_PRICES = env.json("COPILOT_PRICES", default={})
#: Vectors are kept in Pinecone where both are set (an index named by its host), else in the database.
PINECONE_API_KEY = env.str("PINECONE_API_KEY", default="")
PINECONE_HOST = env.str("PINECONE_HOST", default="")
GUIDELINE_MAX_BYTES = env.int("GUIDELINE_MAX_BYTES", default=30 * 1024 * 1024)
GUIDELINE_MAX_PAGES = env.int("GUIDELINE_MAX_PAGES", default=600)

# --- mail: alerts. Without a host none is sent, and alerts stand in the house only.
EMAIL_HOST = env.str("EMAIL_HOST", default="")
EMAIL_PORT = env.int("EMAIL_PORT", default=587)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=True)
EMAIL_TIMEOUT = env.float("EMAIL_TIMEOUT", default=20.0)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="omnitraffick@localhost")
ALERT_MAIL = bool(EMAIL_HOST)
#: Where people reach the house, for links in mails: https://omnitraffick.example.com. Without it mails have no links.
PUBLIC_URL = env.str("PUBLIC_URL", default="").rstrip("/")

# --- logs
LOG_FORMAT = env.str("LOG_FORMAT", default="json" if PRODUCTION else "console")
LOGGING = logging_config(LOG_FORMAT, env.str("LOG_LEVEL", default="INFO"))
DJANGO_STRUCTLOG_CELERY_ENABLED = True
#: Take X-Request-ID from the proxy in front. Only where one sets it: otherwise anybody writes into the logs.
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = env.bool("TRUST_REQUEST_ID", default=False)

# --- admin theme
UNFOLD = {
    "SITE_TITLE": "OmniTraffick",
    "SITE_HEADER": "OmniTraffick",
    "SITE_SYMBOL": "hub",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("omnitraffick/favicon.svg")},
    ],
    "STYLES": [lambda request: static("omnitraffick/admin.css")],
    "SCRIPTS": [
        lambda request: static("omnitraffick/theme.js"),
        lambda request: static("omnitraffick/labels.js"),
    ],
    "DASHBOARD_CALLBACK": "omnitraffick.desk.dashboard",
    "SHOW_HISTORY": True,
    "COLORS": {
        "primary": {
            "50": "#fdf9ec", "100": "#faf0cd", "200": "#f5e09b", "300": "#efcb63", "400": "#e6b53c",
            "500": "#d49a25", "600": "#966114", "700": "#7f5116", "800": "#74481b", "900": "#623d1b",
            "950": "#38200b",
        },
    },
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": "omnitraffick.navigation.sections"},
}  # fmt: skip

if TESTING:
    OPENAI_API_KEY = PINECONE_API_KEY = ""  # no test asks anybody outside
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    AXES_ENABLED = False
