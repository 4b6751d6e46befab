"""The Celery application. Tasks carry ids only; what is to be done stands in the database."""

import os

from celery import Celery
from django_structlog.celery.steps import DjangoStructLogInitStep

from omnitraffick import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omnitraffick.settings")
broker.install()

app = Celery("omnitraffick")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)  # binds task_id to every log line of a worker
