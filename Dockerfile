# One image for every command: the services, the jobs before them, and `liaison`.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PROJECT_ENVIRONMENT=/opt/liaison
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir --quiet "uv==0.13.9"
WORKDIR /build
# Dependencies change less often than our code: a layer of their own.
COPY pyproject.toml uv.lock ./
RUN --mount=type=cache,target=/root/.cache/uv \
    /opt/uv/bin/uv sync --locked --no-dev --extra kafka-users --no-install-project
COPY README.md LICENSE liaison.py ./
COPY docs/integrating.md docs/integrating.zh.md docs/
COPY services services
COPY shared shared
COPY deploy deploy
# Without the cache: uv would reuse an earlier build of our package of the same version.
RUN /opt/uv/bin/uv sync --locked --no-dev --extra kafka-users --no-editable --no-cache

FROM ${PYTHON_IMAGE}
RUN groupadd --gid 10001 liaison \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/liaison --shell /usr/sbin/nologin liaison \
 # A new volume gets these folders' owner.
 && install -d -o liaison -g liaison -m 0700 /var/lib/liaison /var/backups/liaison
COPY --from=build /opt/liaison /opt/liaison
ENV PATH=/opt/liaison/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 LANG=C.UTF-8
WORKDIR /var/lib/liaison
USER 10001:10001
CMD ["liaison", "--help"]
