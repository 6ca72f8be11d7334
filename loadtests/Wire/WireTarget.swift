import NIOSSL

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
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isEncrypted ? 443 : 80) ? name : "\(name):\(port)"
    }

    init(host: String, port: Int, isEncrypted: Bool, speech: Speech) {
        self.host = host
        self.port = port
        self.isEncrypted = isEncrypted
        self.speech = speech
    }

    /// - Parameter speech: nil: as cargo, HTTP/2 by ALPN over TLS, and without TLS the upgrade.
    init(_ base: WebBase, _ speech: Speech?) {
        self.init(
            host: base.host, port: base.port, isEncrypted: base.isEncrypted,
            speech: speech ?? (base.isEncrypted ? .http2 : .upgrade))
    }

    /// What connections to it offer and trust; nil if it is not encrypted.
    ///
    /// - Throws: `BenchFailure` if the file holds no certificate.
    func tls(caFile: String?) throws -> NIOSSLContext? {
        // A file that can't be read is told also where it isn't needed.
        var configuration = try Trust.configuration(caFile: caFile)
        guard isEncrypted else { return nil }
        configuration.applicationProtocols = speech == .http1 ? ["http/1.1"] : ["h2", "http/1.1"]
        return try NIOSSLContext(configuration: configuration)
    }
}
