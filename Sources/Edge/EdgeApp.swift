import CoreMetrics
import EdgeCache
import EdgeHTTP
import EdgeLedger
import FoundationEssentials
package import Hosting
package import Logging
package import NIOCore
import NIOSSL
import Registry
package import ServiceLifecycle

/// Builds an edge from its settings; the only file that knows all parts.
///
/// `services` run it; they stop in reverse order, so that clients are served to the end and the catalogue is saved last.
package final class EdgeApp: Sendable {
    /// Ends when the edge and all its services have gone.
    private let claim: FolderClaim
    private let server: EdgeServer
    private let desk: CacheDesk
    private let blobs: BlobFolder
    private let follower: FeedFollower
    package let services: [any Service]

    /// Opens the data folder and listens nowhere yet.
    ///
    /// - Throws: what keeps the data folder from being used.
    package init(_ config: EdgeConfig, logger: Logger) throws {
        let layout = DiskLayout(root: config.dataFolder)
        claim = try FolderClaim.take(layout)
        let (catalogue, contents) = try Catalogue.open(layout, logger: logger)
        let wallClock: @Sendable () -> Int = { Int(Date().timeIntervalSince1970) }
        let blobs = try BlobFolder(
            layout: layout, bytesMax: config.diskBytesMax, rows: contents.blobs, logger: logger)
        let responses = Responses(servedBy: config.name)
        let makeTable: @Sendable (RepositoryList) -> RepositoryTable = {
            RepositoryTable($0, publicURL: config.publicURL, responses: responses)
        }
        let authorities = try Self.authorities(config.originAuthorities)
        let client = OriginClient(
            origin: config.originURL, credential: config.credential, authorities: authorities)
        let core = WarmStart(contents: contents, responses: responses, makeTable: makeTable)
            .core(Self.limits(config), at: Self.now(), unixNow: wallClock())
        let fetch = OriginFetch(
            client: client, blobs: blobs, responses: responses, makeTable: makeTable, wallClock: wallClock,
            logger: logger)
        // A client of its own: the parts of a closure come over a connection each.
        let closures = OriginClient(
            origin: config.originURL, credential: config.credential, authorities: authorities,
            limits: .init(isHTTP1Only: true))
        let fill = OriginFill(client: closures, responses: responses, logger: logger)
        let desk = CacheDesk(core: core, now: Self.now, fill: { await fill($0, into: $1) }) { await fetch($0) }
        // A client of its own: silence on the feed means another thing than silence in a body.
        let feed = OriginClient(
            origin: config.originURL, credential: config.credential, authorities: authorities,
            limits: .init(silenceTime: TimeAmount(config.leaseTime)))
        let follower = FeedFollower(
            client: feed, desk: desk, publicURL: config.publicURL, hasPlace: contents.applied > 0, logger: logger,
            makeTable: makeTable)
        let facts = Self.facts(config, desk, blobs)
        let (spool, journal) = try ReadSpool.open(in: layout.reads, logger: logger)
        let refusals = RefusalNotes(wallClock: wallClock)
        let routes = Self.routes(config, desk, blobs, responses, refusals, wallClock: wallClock, logger: logger)
        server = EdgeServer(
            configuration: Self.server(config), handler: routes, logger: logger,
            observer: RequestRecord(config.accessLog, journal: journal, cacheMeters: routes.meters, logger: logger))
        services = [
            ClosingService(clients: [client, closures, feed], claim: claim),
            try ReadKeeper(
                journal: journal, spool: spool, refusals: refusals, client: client,
                spoolBytesMax: config.spoolBytesMax, logger: logger),
            CatalogueKeeper(
                catalogue: catalogue, desk: desk, blobs: blobs, wallClock: wallClock, logger: logger),
            follower, ListKeeper(desk: desk, keyLease: config.tokenLease),
            EdgeReporter(client: client, facts: facts, logger: logger),
            ConnectionWarmer(client: closures, countMax: Self.parts(config, desk), logger: logger),
            ServingService(server: server, drainTimeMax: config.drainTimeMax, logger: logger),
        ]
        self.desk = desk
        self.blobs = blobs
        self.follower = follower
    }

    private static func routes(
        _ config: EdgeConfig, _ desk: CacheDesk, _ blobs: BlobFolder, _ responses: Responses, _ refusals: RefusalNotes,
        wallClock: @escaping @Sendable () -> Int, logger: Logger
    ) -> Routes {
        Routes(
            desk: desk,
            access: ReadAccess(
                desk: desk, responses: responses, wallClock: wallClock,
                signatures: SignedAccess(desk: desk, keyLease: config.tokenLease, wallClock: wallClock)),
            index: IndexRoute(desk: desk, responses: responses),
            crates: CrateRoute(desk: desk, blobs: blobs, responses: responses, wallClock: wallClock, logger: logger),
            responses: responses, meters: CacheMeters(), refusals: refusals)
    }

    /// Where clients are served; empty until it listens.
    package var boundAddresses: [SocketAddress] { server.boundAddresses }

    var isFresh: Bool { desk.withCore { core, now in core.isFresh(at: now) } }
    var knowsRepositories: Bool { desk.withCore { core, _ in core.held(.repositories) != nil } }

    /// What `/readyz` asks: it is ready when it knows its repositories, and is fresh or holds something to serve.
    package var readyChecks: [ManagementServer.Check] {
        [
            ManagementServer.Check("listening") { [server] in
                server.boundAddresses.isEmpty ? "clients are not served yet" : nil
            },
            ManagementServer.Check("repositories") { [desk] in
                desk.withCore { core, _ in core.held(.repositories) == nil }
                    ? "the list of repositories is not known yet" : nil
            },
            ManagementServer.Check("lease") { [desk, follower] in
                let (isFresh, isWarm) = desk.withCore { core, now in (core.isFresh(at: now), core.holdsFiles) }
                return isFresh || isWarm ? nil : "no lease from the origin: \(follower.problem ?? "none heard lately")"
            },
        ]
    }

    /// Sets the gauges that only change when somebody looks.
    package func refreshGauges() {
        let (feed, isFresh, bytes, count) = desk.withCore { core, now in
            (core.feed, core.isFresh(at: now), core.bytes, core.count)
        }
        Metric.feedPosition.gauge().record(Double(feed.applied))
        Metric.feedHead.gauge().record(Double(feed.head))
        Metric.feedFresh.gauge().record(isFresh ? 1.0 : 0.0)
        if let heardAt = feed.heardAt {
            let silence = Self.now() - heardAt
            Metric.feedLagSeconds.gauge().record(isFresh ? 0.0 : Double(silence.components.seconds))
        }
        Metric.cacheBytes.gauge(["kind": "entries", "place": "memory"]).record(Double(bytes))
        Metric.cacheBytes.gauge(["kind": "crate", "place": "disk"]).record(Double(blobs.bytes))
        Metric.cacheEntries.gauge(["kind": "entries"]).record(Double(count))
        Metric.cacheEntries.gauge(["kind": "crate"]).record(Double(blobs.count))
        Metric.connectionsOpen.gauge().record(Double(server.figures.connectionsOpen))
    }

    @Sendable private static func now() -> Moment {
        Moment(nanoseconds: Int64(NIODeadline.now().uptimeNanoseconds))
    }

    private static func parts(_ config: EdgeConfig, _ desk: CacheDesk) -> (@Sendable () -> Int)? {
        guard config.fillsClosures else { return nil }
        return { OriginFill.partsMax(held: desk.withCore { core, _ in core.count }) }
    }

    private static func facts(
        _ config: EdgeConfig, _ desk: CacheDesk, _ blobs: BlobFolder
    ) -> @Sendable () -> EdgeReport {
        let started = Date.now.formatted(.iso8601)
        return {
            let (applied, isFresh, count, bytes) = desk.withCore { core, now in
                (core.feed.applied, core.isFresh(at: now), core.count, core.bytes)
            }
            return EdgeReport(
                url: config.edgeURL, publicURL: config.publicURL, version: EdgeVersion.text, isFresh: isFresh,
                applied: applied, entries: count, memoryBytes: bytes, blobs: blobs.count, diskBytes: blobs.bytes,
                started: started)
        }
    }

    private static func authorities(_ file: String?) throws(EdgeConfig.Problem) -> [NIOSSLCertificate] {
        guard let file else { return [] }
        do {
            return try NIOSSLCertificate.fromPEMFile(file)
        } catch {
            throw EdgeConfig.Problem(
                description: "`--origin-ca` must name a PEM file of certificates, and `\(file)` can't be read as one")
        }
    }

    private static func limits(_ config: EdgeConfig) -> CacheCore.Limits {
        var limits = CacheCore.Limits()
        limits.memoryBytesMax = config.memoryBytesMax
        limits.leaseTime = config.leaseTime
        limits.tokenLease = config.tokenLease
        limits.fillsMax = config.fillsClosures ? 8 : 0
        return limits
    }

    private static func server(_ config: EdgeConfig) -> EdgeServerConfiguration {
        var server = EdgeServerConfiguration(
            listeners: [.init(host: config.address.host, port: config.address.port, tls: config.tls)])
        server.threads = config.threads
        server.clientField = config.clientAddressHeader.map { name in
            ClientField(name) { value in
                ClientAddress.last(in: value).map { EdgePeer(try? SocketAddress(ipAddress: $0, port: 0)) }
            }
        }
        return server
    }
}

/// Serves clients until the program is told to stop; then lets running requests finish.
private struct ServingService: Service {
    let server: EdgeServer
    let drainTimeMax: Duration
    let logger: Logger

    func run() async throws {
        try await server.start()
        let addresses = server.boundAddresses.map { "\($0.ipAddress ?? ""):\($0.port ?? 0)" }.joined(separator: ", ")
        logger.notice("serving clients", metadata: ["address": "\(addresses)"])
        try? await gracefulShutdown()
        await server.stop(grace: drainTimeMax)
    }
}

/// Closes the connections to the origin when everybody who used them has stopped; keeps the folder until then.
private struct ClosingService: Service {
    let clients: [OriginClient]
    let claim: FolderClaim

    func run() async throws {
        try? await gracefulShutdown()
        for client in clients { try await client.close() }
        withExtendedLifetime(claim) {}
    }
}
