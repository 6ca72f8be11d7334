import FoundationEssentials
package import Hosting

/// Every setting of the origin, with its value.
///
/// The origin always serves at the root of its address. If clients reach it below a path (`public-url` is
/// `https://forge.example/crates`), the reverse proxy strips that path; what clients are told carries it.
package struct OriginConfig: Sendable {
    package var address: SocketAddressText
    package var dataFolder: String
    /// Nil: a private PostgreSQL in the data folder.
    package var databaseURL: String?
    /// Nil: `databaseURL` owns the tables as well.
    package var databaseOwnerURL: String?
    package var databaseConnectionsMax = 16
    /// Nil: whoever is at the other end of the connection asks.
    package var clientAddressHeader: String?
    /// Without a final slash; nil: `http://` and the address that is listened on.
    package var publicURL: String?
    package var downloadURL: String?
    package var indexAliases: [String] = []
    /// True: `config.json` sends cargo to `/dl/…`, which redirects to the nearest edge.
    package var redirectsDownloads = false
    /// `10.1.0.0/16=eu,…`; nil: no client's region is known.
    package var clientRegions: String?
    /// Nil: a file of the data folder.
    package var signingSecret: String?
    package var signingKeyTime: Duration = .seconds(30 * 86_400)
    package var uploadBytesMax = 64 << 20
    /// Index files that wait in memory for slow readers; one more is answered 503.
    package var indexBytesMax = 256 << 20
    /// Client connections; one more waits until another closes.
    package var clientsMax = 4096
    /// Requests that run at once; one more is answered 503.
    package var requestsMax = 2048
    /// Nil: no checkpoints of the audit log are written.
    package var auditCheckpointFolder: String?
    package var auditCheckpointTime: Duration = .seconds(3600)
    /// Nil: the log is not exported by the server.
    package var auditExportTo: String?
    var auditExportFormat = ExportFormat.jsonl
    /// The whole value of the header `Authorization`.
    package var auditExportAuthorization: String?
    /// How long the trail of downloads is kept.
    package var pullDays = 90
    /// Where the advisory database is; nil: nowhere, and `advisories sync` is called by hand.
    package var advisories: String?
    package var advisoriesInterval: Duration = .seconds(3600)
    /// A connection without a request is closed after this.
    package var idleTimeMax: Duration = .seconds(75)
    package var shutdownTimeMax: Duration = .seconds(30)

    /// A request line and all headers together may take this much.
    static let headerBytesMax = 32 << 10

    package init(address: SocketAddressText, dataFolder: String) {
        self.address = address
        self.dataFolder = dataFolder
    }

    package static let table: [Setting] =
        [
            Setting(
                "address", .address, default: "127.0.0.1:8080", "where cargo and edges are served, over plain HTTP"),
            Setting(
                "public-url", .url,
                "what clients call this registry; stands in config.json. Unset: http:// and the address. May have a "
                    + "path, which the reverse proxy must strip"),
            Setting("download-url", .url, "serves .crate files instead of public-url, if another host is to"),
            Setting(
                "index-aliases", .string,
                "other bases of index URLs that mean the same repositories, parted by commas: edges' public addresses"),
            Setting(
                "downloads", .choice(["direct", "redirect"]), default: "direct",
                "direct: config.json names the files here; redirect: it names /dl/, which sends cargo to the nearest "
                    + "edge with a signed URL"),
            Setting(
                "client-regions", .string,
                "which networks are in which edge's region, such as 10.1.0.0/16=eu,2001:db8::/32=us; for the nearest "
                    + "edge"),
            .clientAddressHeader,
            Setting(
                "signing-key-time", .duration(.seconds(3600) ... .seconds(366 * 86_400)), default: "30d",
                "how long one key signs URLs before the next takes over"),
            Setting(
                "advisories", .string,
                "the advisory database: a folder, an archive, https://… of one, or git+https://…; unset: taken over by "
                    + "hand only"),
            Setting(
                "advisories-interval", .duration(.seconds(60) ... .seconds(7 * 86_400)), default: "1h",
                "how often it is read again"),
        ] + storage + limits + audit + Setting.common(managementAddress: "127.0.0.1:9080")

    /// What commands that work on the database need, beside `serve`.
    package static let storage = [
        Setting("data", .path, default: ".longshore/origin", "the folder of blobs and of the private PostgreSQL"),
        Setting(
            "database-url", .secret,
            "a libpq connection string; unset: a private PostgreSQL in the data folder is made, started and stopped",
            environmentAlias: "DATABASE_URL"),
        Setting(
            "database-owner-url", .secret,
            "the connection string of the role that owns the tables, for migrations and archives of the audit log, so "
                + "that the role of database-url can't rewrite that log; unset: database-url"),
        Setting(
            "signing-secret", .secret,
            "seals the keys that sign URLs, at least 20 random characters; unset: the file signing-secret of the data "
                + "folder, made at the first start"),
        Setting("database-connections-max", .integer(2...1000), default: "16", "connections to PostgreSQL"),
    ]

    private static let audit = [
        Setting(
            "audit-export-to", .string,
            "where the audit log is sent as it grows: a file that is appended to, or an https address that takes POSTs of "
                + "JSON lines; unset: nowhere"),
        Setting(
            "audit-export-format", .choice(ExportFormat.allCases.map(\.rawValue)), default: "jsonl",
            "jsonl: as the hashes are made; ecs: Elastic Common Schema"),
        Setting(
            "audit-export-authorization", .secret,
            "sent as the header Authorization to audit-export-to, such as `Bearer …`"),
        Setting(
            "audit-checkpoint-folder", .path,
            "where signed checkpoints of the audit log are put, for you to take elsewhere; unset: none are made"),
        Setting(
            "audit-checkpoint-time", .duration(.seconds(1) ... .seconds(366 * 86_400)), default: "1h",
            "how often a checkpoint is made, if something was recorded since the last"),
    ]

    private static let limits = [
        Setting("upload-bytes-max", .bytes(1 << 10...4 << 30), default: "64MiB", "the largest .crate that is accepted"),
        Setting(
            "index-bytes-max", .bytes(1 << 20...1 << 40), default: "256MiB",
            "index files that wait in memory for slow readers; one more gets 503"),
        Setting("clients-max", .integer(1...1_000_000), default: "4096", "connections of clients and edges at once"),
        Setting("requests-max", .integer(1...1_000_000), default: "2048", "requests at once; one more gets 503"),
        Setting(
            "idle-time-max", .duration(.seconds(1) ... .seconds(3600)), default: "75s",
            "after this a connection without a request is closed"),
        Setting(
            "pull-days", .integer(1...36_500), default: "90",
            "how many days it is kept who downloaded what; counts are kept for ever"),
    ]

    package init(_ settings: Settings) {
        self.init(address: settings.address("address"), dataFolder: settings.text("data"))
        databaseURL = settings.optionalText("database-url")
        databaseOwnerURL = settings.optionalText("database-owner-url")
        clientAddressHeader = settings.optionalText("client-address-header")
        databaseConnectionsMax = settings.integer("database-connections-max")
        publicURL = settings.optionalText("public-url")
        downloadURL = settings.optionalText("download-url")
        indexAliases = Self.list(settings.optionalText("index-aliases"))
        redirectsDownloads = settings.text("downloads") == "redirect"
        clientRegions = settings.optionalText("client-regions")
        signingSecret = settings.optionalText("signing-secret")
        signingKeyTime = settings.duration("signing-key-time")
        uploadBytesMax = settings.integer("upload-bytes-max")
        indexBytesMax = settings.integer("index-bytes-max")
        clientsMax = settings.integer("clients-max")
        requestsMax = settings.integer("requests-max")
        idleTimeMax = settings.duration("idle-time-max")
        auditExportTo = settings.optionalText("audit-export-to")
        auditExportFormat = ExportFormat(rawValue: settings.text("audit-export-format")) ?? .jsonl
        auditExportAuthorization = settings.optionalText("audit-export-authorization")
        auditCheckpointFolder = settings.optionalText("audit-checkpoint-folder")
        auditCheckpointTime = settings.duration("audit-checkpoint-time")
        pullDays = settings.integer("pull-days")
        advisories = settings.optionalText("advisories")
        advisoriesInterval = settings.duration("advisories-interval")
        shutdownTimeMax = settings.duration("shutdown-time-max")
    }

    static func list(_ text: String?) -> [String] {
        (text ?? "").split(separator: ",").map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }
    }

    /// What clients are told. With port 0 and no `public-url` the links lead nowhere: `problem` says so.
    package var addresses: PublicAddresses {
        PublicAddresses(
            base: publicURL ?? "http://\(address)", downloads: downloadURL, aliases: indexAliases,
            redirectsDownloads: redirectsDownloads)
    }

    /// What does not fit together, as a sentence.
    package var problem: String? {
        do {
            _ = try ClientRegions(clientRegions)
        } catch {
            return "\(error)"
        }
        if let auditExportTo {
            do { _ = try ExportSink(auditExportTo, authorization: nil) } catch { return "\(error)" }
        }
        if let problem = ClientAddress.problem(header: clientAddressHeader) { return problem }
        guard publicURL == nil else { return nil }
        if address.port == 0 {
            return "with port 0 in `address`, `public-url` must say what clients call this registry"
        }
        if ["0.0.0.0", "::"].contains(address.host) {
            return "`address` listens on every interface, so `public-url` must say what clients call this registry"
        }
        return nil
    }
}
