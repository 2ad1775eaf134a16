# The application as an image: app, worker and migrations are the same one with another command (compose.yaml).
# Debian's own Python and Pango, so that invoices are drawn with the libraries that the tests ran on.
FROM debian:trixie-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv python3-dev gcc pkg-config libmariadb-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY requirements.txt requirements-mysql.txt requirements-s3.txt ./
RUN python3 -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check \
        -r requirements.txt -r requirements-mysql.txt -r requirements-s3.txt

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 libmariadb3 mariadb-client libpango-1.0-0 libpangoft2-1.0-0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --home-dir /app --shell /usr/sbin/nologin hsh \
    && install -d -o hsh -g hsh /app /data /data/media /anchors
COPY --from=build /opt/venv /opt/venv
COPY . /app
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=core.settings STATIC_ROOT=/app/static MEDIA_ROOT=/data/media \
    GUNICORN_CMD_ARGS="--bind 0.0.0.0:8000"
WORKDIR /app
# The static files are part of the image; these secrets sign nothing.
RUN SECRET_KEY=only-while-the-image-is-built-0123456789 JWT_SIGNING_KEY=only-while-the-image-is-built-0123456789 \
    python manage.py collectstatic --noinput --verbosity 0 && python -m whitenoise.compress -q field_app/built && rm -rf var && python -m compileall -q /app
USER hsh
VOLUME ["/data", "/anchors"]
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "deploy/healthy.py"]
CMD ["gunicorn"]
