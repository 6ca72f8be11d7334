package import EdgeHTTP
package import Hosting

/// Every setting of an edge.
package struct EdgeConfig: Sendable {
    /// The origin's address without a final slash.
    package var originURL: String
    package var credential: String
    /// PEM file of authorities to trust at the origin besides the system's.
    package var originAuthorities: String?
    /// A name that nothing is known of is asked for together with what a resolver will ask next.
    package var fillsClosures = true
    package var address: SocketAddressText
    package var tls: EdgeServerConfiguration.TLS?
    /// The name of a header; who asks stands in it.
    package var clientAddressHeader: String?
    /// What clients call this edge, without a final slash; stands in `config.json`.
    package var publicURL: String
    /// Where this very edge is reached, without a final slash; `publicURL` unless set.
    package var edgeURL: String
    package var name = "edge"
    package var dataFolder: String
    package var memoryBytesMax = 256 << 20
    package var diskBytesMax = 20 << 30
    package var spoolBytesMax = 1 << 30
    package var threads = 1
    package var leaseTime: Duration = .seconds(5)
    package var tokenLease: Duration = .seconds(600)
    package var drainTimeMax: Duration = .seconds(30)
    package var accessLog = AccessLogChoice.errors

    /// Which requests get a log line.
    package enum AccessLogChoice: String, Sendable { case all, errors, none }

    /// A setting that is missing or does not fit another; one sentence.
    package struct Problem: Error, CustomStringConvertible {
        package let description: String
    }

    package init(
        originURL: String, credential: String, address: SocketAddressText, publicURL: String, dataFolder: String
    ) {
        self.originURL = originURL
        self.credential = credential
        self.address = address
        self.publicURL = publicURL
        edgeURL = publicURL
        self.dataFolder = dataFolder
    }

    package static let table: [Setting] =
        [
            Setting("origin-url", .url, "the origin's address, such as https://registry.example; required"),
            Setting(
                "credential", .secret,
                "what `longshore-origin edge create NAME` printed: the edge's right to ask the origin; required"),
            Setting(
                "origin-ca", .path,
                "PEM file of certificate authorities to trust besides the system's when `origin-url` is https"),
            Setting(
                "closure-fill", .choice(["on", "off"]), default: "on",
                "on: a crate that nothing is known of is fetched together with what its resolution will ask next"),
            Setting("address", .address, default: "127.0.0.1:8081", "where clients are served"),
            Setting("tls-certificate", .path, "PEM file of the certificate chain; with it the edge speaks HTTPS only"),
            Setting("tls-key", .path, "PEM file of the certificate's private key"),
            .clientAddressHeader,
            Setting(
                "public-url", .url,
                "the address that clients use for this edge, as it stands in config.json; made from `address` if unset"),
            Setting(
                "edge-url", .url,
                "the address of this edge alone, for the origin's list of edges and its signed URLs; public-url if unset. "
                    + "Set it where public-url is one name for all edges"),
            Setting("name", .string, default: "edge", "the edge's name in `x-served-by`, logs and metrics"),
            Setting(
                "data", .path, default: "longshore-edge-data",
                "folder of the cache; deleting it costs warmth, and the reads that the origin was not told of yet"),
            Setting(
                "memory-bytes-max", .bytes(1 << 20...1 << 40), default: "256MiB",
                "how much memory index files and tokens may take"),
            Setting(
                "disk-bytes-max", .bytes(1 << 20...1 << 50), default: "20GiB", "how much disk crate files may take"),
            Setting(
                "spool-bytes-max", .bytes(1 << 20...1 << 40), default: "1GiB",
                "how much disk the access log may take while the origin is away; over it, who was refused and then "
                    + "who downloaded what is dropped, oldest first, and counts are kept"),
            Setting("threads", .integer(1...256), default: "2", "event loops that serve clients"),
            Setting(
                "lease-time", .duration(.milliseconds(100) ... .seconds(3600)), default: "5s",
                "without a word from the origin for this long the edge no longer calls what it holds fresh"),
            Setting(
                "token-lease", .duration(.seconds(1) ... .seconds(86_400)), default: "10m",
                "how long the origin's word on a token counts, connected or not"),
            Setting(
                "access-log", .choice(["all", "errors", "none"]), default: "errors",
                "which requests get a log line; errors: those answered 500 and above"),
        ] + Setting.common(managementAddress: "127.0.0.1:9081")

    /// - Throws: `Problem` for what no single row of the table can check.
    package init(_ settings: Settings) throws(Problem) {
        guard let originURL = settings.optionalText("origin-url") else {
            throw Problem(description: "`--origin-url` is required: the address of the origin to serve for")
        }
        guard let credential = settings.optionalText("credential") else {
            throw Problem(
                description:
                    "`--credential-file` is required: make a credential with `longshore-origin edge create NAME`")
        }
        let tls: EdgeServerConfiguration.TLS?
        switch (settings.optionalText("tls-certificate"), settings.optionalText("tls-key")) {
        case (nil, nil): tls = nil
        case (let chain?, let key?): tls = .init(certificateChainFile: chain, privateKeyFile: key)
        default: throw Problem(description: "`--tls-certificate` and `--tls-key` go together: give both or neither")
        }
        let clientAddressHeader = settings.optionalText("client-address-header")
        if let problem = ClientAddress.problem(header: clientAddressHeader) { throw Problem(description: problem) }
        let address = settings.address("address")
        self.init(
            originURL: originURL, credential: credential, address: address,
            publicURL: settings.optionalText("public-url") ?? "\(tls == nil ? "http" : "https")://\(address)",
            dataFolder: settings.text("data"))
        self.tls = tls
        self.clientAddressHeader = clientAddressHeader
        edgeURL = settings.optionalText("edge-url") ?? publicURL
        originAuthorities = settings.optionalText("origin-ca")
        fillsClosures = settings.text("closure-fill") == "on"
        name = settings.text("name")
        memoryBytesMax = settings.integer("memory-bytes-max")
        diskBytesMax = settings.integer("disk-bytes-max")
        spoolBytesMax = settings.integer("spool-bytes-max")
        threads = settings.integer("threads")
        leaseTime = settings.duration("lease-time")
        tokenLease = settings.duration("token-lease")
        drainTimeMax = settings.duration("shutdown-time-max")
        accessLog = AccessLogChoice(rawValue: settings.text("access-log")) ?? .errors
    }
}
