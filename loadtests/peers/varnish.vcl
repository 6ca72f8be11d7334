# Varnish in front of a registry, everything in memory (`-s malloc`, set where measure-peers starts it).
# It speaks no TLS. Its HTTP/2 is not measured: no client of ours uses HTTP/2 without TLS.
vcl 4.1;

backend registry {
    .host = "127.0.0.1";
    .port = "@UPSTREAM_PORT@";
    .max_connections = 64;
}

sub vcl_recv {
    # The built-in rules would look for cookies and authorization, which a public index has none of.
    if (req.method != "GET" && req.method != "HEAD") { return (synth(405)); }
    return (hash);
}

sub vcl_backend_response {
    # http_gzip_support (on): it keeps the gzip form alone, as it came, and unpacks it for who wants the file as it is.
    set beresp.ttl = 1d;
    set beresp.grace = 1h;
    # A held file is revalidated instead of fetched.
    set beresp.keep = 1d;
    unset beresp.http.set-cookie;
    return (deliver);
}
