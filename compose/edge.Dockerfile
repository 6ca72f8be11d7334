# Built from the project's folder: docker build -f compose/edge.Dockerfile .
# The last stage, `compiled`, is built from source; `--target prebuilt` takes compose/bin/longshore-edge instead.
FROM docker.io/library/debian:bookworm-slim AS runtime
RUN apt-get update -q \
    && apt-get install -y -q --no-install-recommends ca-certificates libnghttp2-14 libsqlite3-0 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/longshore --shell /usr/sbin/nologin longshore \
    && install -d -o longshore -g longshore -m 0750 /var/lib/longshore
COPY --chmod=0755 compose/healthcheck /usr/local/bin/healthcheck
# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
VOLUME /var/lib/longshore
ENV LONGSHORE_DATA=/var/lib/longshore \
    LONGSHORE_ADDRESS=0.0.0.0:8080 \
    LONGSHORE_MANAGEMENT_ADDRESS=0.0.0.0:9080
EXPOSE 8080 9080
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 CMD ["healthcheck", "/readyz"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["longshore-edge"]
CMD ["serve"]

FROM runtime AS prebuilt
COPY compose/bin/longshore-edge /usr/local/bin/longshore-edge

FROM docker.io/library/swift:6.3-bookworm AS compile
RUN apt-get update -q && apt-get install -y -q --no-install-recommends \
        pkg-config libpq-dev libsqlite3-dev libssl-dev zlib1g-dev libnghttp2-dev
WORKDIR /src
COPY . .
# The build folder is kept between builds, so the program is copied out of it in the same step.
RUN --mount=type=cache,target=/src/.build \
    swift build -c release --static-swift-stdlib --product longshore-edge \
    && install -D -s "$(swift build -c release --static-swift-stdlib --show-bin-path)/longshore-edge" /out/longshore-edge

FROM runtime AS compiled
COPY --from=compile /out/longshore-edge /usr/local/bin/longshore-edge
