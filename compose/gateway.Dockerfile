# One name for all origin replicas. Any other balancer does as well, if it lets the feed stream and passes uploads on.
FROM docker.io/library/debian:bookworm-slim
RUN apt-get update -q \
    && apt-get install -y -q --no-install-recommends haproxy \
    && rm -rf /var/lib/apt/lists/*
COPY compose/gateway.cfg /etc/haproxy/haproxy.cfg
USER haproxy
EXPOSE 8080
CMD ["haproxy", "-W", "-db", "-f", "/etc/haproxy/haproxy.cfg"]
