# One image for web, worker, beat and migrate; compose.yaml says which command each runs. No secret is built in.
FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /app/venv
WORKDIR /app
COPY requirements.txt constraints.txt ./
RUN /app/venv/bin/pip install -r requirements.txt

FROM python:3.11-slim
ENV PATH=/app/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    VAR_DIR=/var/lib/omnitraffick STATIC_ROOT=/app/static
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/omnitraffick omnitraffick
COPY --from=build /app/venv /app/venv
WORKDIR /app
COPY . .
# Hashed and compressed once, here. The keys are of this step only: settings want some, and none is kept.
RUN VAR_DIR=/tmp/build PRODUCTION=1 SECRET_KEY=only-while-static-files-are-collected-0123456789abcdef \
    ENCRYPTION_KEYS=MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE= ALLOWED_HOSTS=localhost \
    DATABASE_URL=postgres://build@127.0.0.1/none REDIS_URL=redis://127.0.0.1/0 \
    python manage.py collectstatic --noinput --verbosity 0 && rm -rf /tmp/build
USER omnitraffick
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://localhost:8000/health/live', timeout=4)"]
CMD ["gunicorn", "omnitraffick.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", \
    "--threads", "8", "--worker-tmp-dir", "/dev/shm", "--no-control-socket", "--graceful-timeout", "30"]
