"""The Celery application. Tasks carry ids only; what is to be done stands in the database."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omnitraffick.settings")

app = Celery("omnitraffick")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
