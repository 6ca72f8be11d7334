/// One server as a client of the load test meets it.
struct WireTarget: Hashable, Sendable {
    enum Speech: String, CaseIterable, Sendable {
        /// Keep-alive, one request at a time on each connection.
        case http1 = "h1"
        /// HTTP/2: by ALPN over TLS, with prior knowledge without.
        case http2 = "h2"
        /// What cargo does on plain HTTP: HTTP/1.1 that asks for `Upgrade: h2c`, HTTP/2 if that is granted.
        case upgrade = "h2c"
    }

    let host: String
    let port: Int
    let isEncrypted: Bool
    let speech: Speech

    /// For `host` and `:authority`; without the scheme's usual port.
    var authority: String { port == (isEncrypted ? 443 : 80) ? host : "\(host):\(port)" }
}
