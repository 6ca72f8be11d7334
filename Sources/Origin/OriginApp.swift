import FoundationEssentials
package import Hosting
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import Postgres
package import ServiceLifecycle
import Synchronization

/// One origin replica: builds everything from the settings, in order, and names the services that run it.
///
/// Order: database (the private one is started) → migrations → pool → feed → HTTP. Stops the other way round:
/// HTTP accepts nothing new and finishes what runs, feed streams end, the pool closes, the private database stops.
package final class OriginApp: Sendable {
    private let config: OriginConfig
    private let logger: Logger
    private let feedFramesMax: Int
    private let onListening: @Sendable (Int) -> Void
    private let running = Mutex<OriginSlices?>(nil)
    private let isListening = Mutex(false)

    /// - Parameters:
    ///   - feedFramesMax: events kept in memory for edges; tests make it small.
    ///   - onListening: told the port once requests are accepted.
    package init(
        _ config: OriginConfig, logger: Logger, feedFramesMax: Int = FeedTail.framesMax,
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.config = config
        self.logger = logger
        self.feedFramesMax = feedFramesMax
        self.onListening = onListening
    }

    /// Once started: the slices, for tests and health.
    package var slices: OriginSlices? { running.withLock { $0 } }

    /// Prepares everything, and cleans up if a step fails.
    ///
    /// - Returns: the services in order of dependence.
    package func start() async throws -> [any Service] {
        let database = try await OriginDatabase.open(config, logger: logger)
        do {
            let applied = try await database.migrate(logger: logger)
            if !applied.isEmpty { logger.notice("the database's schema is up to date") }
            let seal = try SigningSecret.findOrMake(config)
            let slices = OriginSlices(pool: database.pool, seal: seal, logger: logger, feedFramesMax: feedFramesMax)
            let blobs = try await DiskBlobs(folder: config.dataFolder + "/blobs", logger: logger)
            try await slices.signingKeys.checkSecret(seal)
            let links = slices.links(seal, try ClientRegions(config.clientRegions), logger: logger) {
                await slices.wait.waitForEdges($0)
            }
            let keyTime = KeyPlan(period: Int(config.signingKeyTime.components.seconds))
            running.withLock { $0 = slices }
            OriginMetrics.follow(slices)
            let advisories = config.advisories.map { source in
                AdvisorySchedule(
                    sync: slices.advisorySync, source: source, interval: config.advisoriesInterval, logger: logger)
            }
            let services: [any Service] = [
                database, slices.tail,
                FeedSignals(database.configuration, tail: slices.tail, board: slices.board, logger: logger),
                Retention(pool: database.pool, logger: logger),
                DependencyCatchUp(pool: database.pool, logger: logger),
                PullRetention(pool: database.pool, days: config.pullDays, logger: logger), slices.board,
                FactsCatchUp(
                    facts: slices.facts, events: slices.events, audit: slices.audit, blobs: blobs, logger: logger),
                PolicyClock(store: slices.policies, logger: logger),
                slices.lineRenewal,
                UpstreamFollower(desk: slices.upstreamDesk, repositories: slices.repositories, logger: logger),
                KeyRotation(store: slices.signingKeys, seal: seal, plan: keyTime, logger: logger),
                AuditCheckpoints(
                    keys: slices.auditKeys, trail: slices.auditTrail, seal: seal, folder: config.auditCheckpointFolder,
                    interval: config.auditCheckpointTime, logger: logger),
                WebhookService(store: slices.webhooks, trail: slices.auditTrail, seal: seal, logger: logger),
                ExportService(
                    exporter: try slices.exporter(config), interval: .seconds(2), logger: logger),
                PullSealer(store: PullSealStore(pool: database.pool), logger: logger), slices.accessNotes,
                OriginServer(config: config, slices: slices, blobs: blobs, links: links, logger: logger) { [self] in
                    isListening.withLock { $0 = true }
                    onListening($0)
                },
            ]
            return advisories.map { services + [$0] } ?? services
        } catch {
            await database.close()
            throw error
        }
    }

    /// What `/readyz` asks.
    package var checks: [ManagementServer.Check] {
        [
            .init("listening") { [self] in
                isListening.withLock { $0 } ? nil : "requests are not accepted yet"
            },
            .init("database") { [self] in
                guard let slices else { return "the origin is starting" }
                do {
                    _ = try await slices.pool.query("SELECT 1")
                    return nil
                } catch {
                    return "PostgreSQL does not answer: \(Explanation.of(error))"
                }
            },
            .init("feed") { [self] in
                slices?.tail.head == nil ? "the feed was not read yet" : nil
            },
        ]
    }
}

/// The HTTP server as a service, whose failure to listen is told in a sentence.
private struct OriginServer: Service {
    /// Silence in the middle of a request, too, ends the connection after `idleTimeMax`.
    let config: OriginConfig
    let slices: OriginSlices
    let blobs: any BlobStore
    let links: DownloadLinks
    let logger: Logger
    let onListening: @Sendable (Int) -> Void

    func run() async throws {
        let address = config.address
        let server = HTTP1Channel.Configuration(
            additionalChannelHandlers: [EarlyAnswer()], idleTimeout: TimeAmount(config.idleTimeMax),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: OriginConfig.headerBytesMax, maxHeaderListSize: OriginConfig.headerBytesMax,
                maxHeaderFieldCount: 100))
        let application = Application(
            responder: slices.responder(config, addresses: config.addresses, blobs: blobs, links: links),
            server: .http1(configuration: server),
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port), serverName: "longshore",
                availableConnectionsDelegate: MaximumAvailableConnections(config.clientsMax, logger: logger)),
            onServerRunning: { [onListening] channel in onListening(channel.localAddress?.port ?? address.port) },
            logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            // The server stops only when the feed's streams have ended, and they wait for the last change.
            group.addTask {
                try await gracefulShutdown()
                await slices.changes.waitForLast()
                slices.tail.endStreams()
            }
            group.addTask {
                do {
                    try await application.run()
                } catch {
                    throw ListenProblem(error, at: address, setting: "address")
                }
            }
            try await group.waitForAll()
        }
    }
}
