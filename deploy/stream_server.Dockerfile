# The stream server: Python, ONNX Runtime and the model repository, what a PostgreSQL and traces take;
# no PyTorch, no compiler.
# Build from the repository's root: docker build -f deploy/stream_server.Dockerfile .

FROM python:3.11-slim-bookworm AS build
WORKDIR /src
# Ray's nodes take "postgres,traces,ray".
ARG EXTRAS=postgres,traces
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY stream_server stream_server
COPY extension extension
COPY triton_models triton_models
RUN python -m venv /opt/fakelight \
    && /opt/fakelight/bin/pip install --no-cache-dir --no-compile ".[${EXTRAS}]"

FROM python:3.11-slim-bookworm
RUN groupadd --system --gid 10001 fakelight \
    && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/fakelight \
        --shell /usr/sbin/nologin fakelight \
    && install -d -o fakelight -g fakelight -m 0700 /var/lib/fakelight
COPY --from=build /opt/fakelight /opt/fakelight
# A login shell, as KubeRay starts one, forgets the PATH below.
RUN echo "PATH=/opt/fakelight/bin:\$PATH" > /etc/profile.d/fakelight.sh
ENV PATH=/opt/fakelight/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1 \
    FAKELIGHT_HOST=0.0.0.0 \
    FAKELIGHT_PORT=8765 \
    FAKELIGHT_STATE_DIR=/var/lib/fakelight
# FAKELIGHT_MODELS is left alone: without a mount the image's own models are used.
USER 10001:10001
WORKDIR /var/lib/fakelight
VOLUME /var/lib/fakelight
EXPOSE 8765
ENTRYPOINT ["fakelight"]
CMD ["serve"]
