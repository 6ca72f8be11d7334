import FoundationEssentials
import HTTPTypes
import Hosting
import Hummingbird
package import Logging
package import Postgres

/// All slices of one origin replica, wired to each other on one database and one blob store.
package struct OriginSlices: Sendable {
    package let pool: PostgresPool
    package let repositories: RepositoryStore
    package let tokens: TokenStore
    package let edges: EdgeStore
    package let signingKeys: SigningKeyStore
    let crates: CrateStore
    package let tail: FeedTail
    package let board: ReplicaBoard
    package let wait: EdgeWait
    let streams: EdgeStreams
    let changes = OpenChanges()
    let owners: OwnersStore
    let events: EventLog
    let audit: AuditStore
    package let facts: FactsStore
    package let policies: PolicyStore
    let reads: ReadStore
    let ownReads: OwnReads
    let accessNotes: AccessNotes
    package let upstreams: UpstreamStore
    let upstreamDesk: UpstreamDesk
    package let lineRenewal: LineRenewal

    /// - Parameter seal: opens upstreams' credentials; only what serves needs it.
    package init(
        pool: PostgresPool, seal: KeySeal? = nil, logger: Logger, feedFramesMax: Int = FeedTail.framesMax
    ) {
        self.pool = pool
        events = EventLog()
        audit = AuditStore()
        let judge = PolicyJudge(pool: pool)
        facts = FactsStore(pool: pool, listener: judge)
        policies = PolicyStore(pool: pool, events: events, audit: audit, judge: judge)
        repositories = RepositoryStore(pool: pool, events: events, audit: audit)
        tokens = TokenStore(pool: pool, events: events, audit: audit)
        edges = EdgeStore(pool: pool, events: events, audit: audit)
        crates = CrateStore(pool: pool)
        signingKeys = SigningKeyStore(pool: pool, events: events, audit: audit)
        owners = OwnersStore(pool: pool, audit: audit)
        streams = EdgeStreams()
        tail = FeedTail(pool: pool, logger: logger, framesMax: feedFramesMax)
        board = ReplicaBoard(pool: pool, streams: streams, tail: tail, edges: edges, logger: logger)
        wait = EdgeWait(board: board, logger: logger)
        reads = ReadStore(pool: pool)
        ownReads = OwnReads(store: reads, logger: logger)
        accessNotes = AccessNotes(pool: pool, logger: logger)
        upstreams = UpstreamStore(pool: pool, events: events, audit: audit, facts: facts)
        upstreamDesk = UpstreamDesk(store: upstreams, seal: seal, logger: logger)
        lineRenewal = LineRenewal(
            pool: pool, repositories: repositories, events: events, audit: audit, facts: facts, logger: logger)
    }

    var auditTrail: AuditTrail { AuditTrail(pool: pool) }
    var webhooks: WebhookStore { WebhookStore(pool: pool) }
    var auditKeys: AuditKeyStore { AuditKeyStore(pool: pool) }
    var lockFiles: LockFileStore { LockFileStore(pool: pool, audit: audit) }

    /// Checks the audit log against what was kept outside.
    func auditVerifier(
        _ config: OriginConfig, keys: [AuditPublicKey], checkpoints: [AuditCheckpoint], archives: [AuditArchiveFile]
    ) -> AuditVerifier {
        AuditVerifier(
            trail: auditTrail, keys: keys, checkpoints: checkpoints, archives: archives, reads: reads,
            pullDays: config.pullDays)
    }

    /// What the settings say of an export; nil: nothing.
    func exporter(_ config: OriginConfig) throws -> AuditExporter? {
        try config.auditExportTo.map { place in
            AuditExporter(
                trail: auditTrail, cursors: ExportCursors(pool: pool), name: ExportService.name,
                format: config.auditExportFormat,
                sink: try ExportSink(place, authorization: config.auditExportAuthorization),
                holder: "replica \(UUID().uuidString)")
        }
    }

    /// How all edges stand, for routes and commands.
    package var edgeList: EdgeList { EdgeList(edges: edges, board: board, feed: tail.store) }

    /// How advisory databases are taken over, for commands and the schedule.
    package var advisorySync: AdvisorySync {
        AdvisorySync(pool: pool, facts: facts, events: events, audit: audit)
    }

    /// Everything that answers requests, in the order: log, limit, errors, changes, who asks, handler.
    func responder(
        _ config: OriginConfig, addresses: PublicAddresses, blobs: any BlobStore, links: DownloadLinks
    ) -> FrontDoor<RouterResponder<OriginContext>> {
        let router = Router(context: OriginContext.self)
        router.add(middleware: AccessLog(quietRoutes: ["/edge/v1/ack", "/edge/v1/report", "/edge/v1/access"]))
        router.add(middleware: RequestLimits(concurrentMax: config.requestsMax))
        router.add(middleware: FailureMiddleware())
        router.add(middleware: changes)
        router.add(middleware: RequestSources(header: config.clientAddressHeader.flatMap { HTTPField.Name($0) }))
        router.add(middleware: Authenticate(tokens: tokens, edges: edges, addresses: addresses))
        router.add(middleware: NoteRefusals(notes: accessNotes))
        let routes = RouteRecorder(router)
        addCargo(to: routes, config, addresses, blobs, links)
        addManagement(to: routes, addresses, links.seal)
        precondition(
            routes.recorded == Set(Route.all.map(\.description)),
            "every route stands in the table of Routes.swift, and the other way round")
        return FrontDoor(router.buildResponder())
    }

    /// - Parameter wait: what to do when the very first key was made.
    func links(
        _ seal: KeySeal, _ regions: ClientRegions, logger: Logger, wait: @escaping @Sendable (UInt64) async -> Void
    ) -> DownloadLinks {
        DownloadLinks(
            keys: signingKeys, edges: edges, board: board, tokens: tokens, seal: seal, regions: regions,
            waitForEdges: wait, logger: logger)
    }

    private func addCargo(
        to routes: RouteRecorder, _ config: OriginConfig, _ addresses: PublicAddresses, _ blobs: any BlobStore,
        _ links: DownloadLinks
    ) {
        let wait = self.wait
        let publish = PublishStore(pool: pool, owners: owners, events: events, audit: audit, facts: facts)
        PublishRoute(
            repositories: repositories, store: publish, blobs: blobs, addresses: addresses,
            limits: .init(uploadBytesMax: config.uploadBytesMax), now: { Int64(Date.now.timeIntervalSince1970) },
            waitForEdges: { await wait.waitForEdges($0) }
        ).add(to: routes)
        YankRoute(
            repositories: repositories,
            store: YankStore(pool: pool, owners: owners, events: events, audit: audit, facts: facts),
            waitForEdges: { await wait.waitForEdges($0) }
        ).add(to: routes)
        OwnersRoute(repositories: repositories, owners: owners).add(to: routes)
        SearchRoute(repositories: repositories, store: SearchStore(pool: pool)).add(to: routes)
        ConfigRoute(repositories: repositories, addresses: addresses).add(to: routes)
        IndexRoute(
            repositories: repositories, store: IndexStore(pool: pool),
            budget: ByteBudget(bytesMax: config.indexBytesMax), reads: ownReads, upstreams: upstreamDesk
        ).add(to: routes)
        ClosureRoute(repositories: repositories, store: ClosureStore(pool: pool), upstreams: upstreamDesk)
            .add(to: routes)
        CrateRoute(
            repositories: repositories, store: crates, blobs: blobs, reads: ownReads, upstreams: upstreamDesk,
            links: links
        ).add(to: routes)
        MeRoute(addresses: addresses).add(to: routes)
    }

    private func addManagement(to routes: RouteRecorder, _ addresses: PublicAddresses, _ seal: KeySeal) {
        TokenRoutes(tokens: tokens, wait: wait, notes: accessNotes).add(to: routes)
        RepositoryRoutes(repositories: repositories, addresses: addresses).add(to: routes)
        EdgeRoutes(
            edges: edges, repositories: repositories, tokens: tokens, addresses: addresses, list: edgeList,
            notes: accessNotes
        ).add(to: routes)
        KeysRoute(keys: signingKeys).add(to: routes)
        FeedRoute(tail: tail, streams: streams, edges: edges, board: board).add(to: routes)
        AckRoute(board: board).add(to: routes)
        DownloadRoutes(repositories: repositories, store: reads).add(to: routes)
        AuditRoutes(trail: auditTrail).add(to: routes)
        UpstreamRoutes(repositories: repositories, upstreams: upstreams, seal: seal).add(to: routes)
        let wait = self.wait
        PolicyRoutes(
            repositories: repositories, policies: policies, waitForEdges: { await wait.waitForEdges($0) }
        ).add(to: routes)
        LockFileRoutes(repositories: repositories, store: lockFiles).add(to: routes)
    }
}
