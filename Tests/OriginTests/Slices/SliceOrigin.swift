import AsyncHTTPClient
import CrateFile
import Crypto
import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import Postgres
import Registry
import ServiceLifecycle
import Signing
import TestSupport
import Testing

@testable import Origin

/// The slices of publish and read behind a real socket, on a database and a blob folder of one test's own.
struct SliceOrigin: Sendable {
    let port: Int
    let pool: PostgresPool
    let blobFolder: String
    let tokens: TokenStore
    let repositories: RepositoryStore
    let edges: EdgeStore
    /// A second replica over the same database and folder.
    var otherPort = 0

    static let uploadBytesMax = 4 << 20
    static let indexBytesMax = 1 << 20

    /// Runs `body` with repository `main`, public, and a token `alice` that may do everything in it.
    static func with(
        isPrivate: Bool = false, replicas: Int = 1, _ body: (SliceOrigin, _ alice: String) async throws -> Void
    ) async throws {
        try await TestDatabase.with(connectionsMax: 16) { pool, _ in
            try await withTemporaryFolder("origin") { folder in
                let stores = (EventLog(), AuditStore())
                let repositories = RepositoryStore(pool: pool, events: stores.0, audit: stores.1)
                _ = try await repositories.create(
                    RepositoryName("main"), RepositorySettings(isPrivate: isPrivate), by: .commandLine)
                let tokens = TokenStore(pool: pool, events: stores.0, audit: stores.1)
                let edges = EdgeStore(pool: pool, events: stores.0, audit: stores.1)
                let replica = { try await start(pool, folder, repositories, tokens, edges) }
                try await replica().whileRunning { port in
                    var origin = SliceOrigin(
                        port: port, pool: pool, blobFolder: folder + "/blobs", tokens: tokens,
                        repositories: repositories, edges: edges, otherPort: port)
                    let alice = try await origin.token("alice", Action.allCases.filter { $0 != .admin })
                    guard replicas == 2 else { return try await body(origin, alice) }
                    try await replica().whileRunning { other in
                        origin.otherPort = other
                        try await body(origin, alice)
                    }
                }
            }
        }
    }

    func token(_ login: String, _ actions: [Action], crates: [String] = ["*"]) async throws -> String {
        let grant = Grant(actions: Set(actions), repositories: nil, crates: crates.compactMap { CratePattern($0) })
        let request = try TokenRequest(login: login, name: "test", grants: [grant], secondsToLive: nil)
        return try await tokens.create(request, by: .commandLine).secret.text
    }

    private static func start(
        _ pool: PostgresPool, _ folder: String, _ repositories: RepositoryStore, _ tokens: TokenStore,
        _ edges: EdgeStore
    ) async throws -> Replica {
        let addresses = PublicAddresses(base: "https://crates.example", downloads: nil)
        let router = Router(context: OriginContext.self)
        router.add(middleware: FailureMiddleware())
        router.add(middleware: Authenticate(tokens: tokens, edges: edges, addresses: addresses))
        let blobs = try await DiskBlobs(folder: folder + "/blobs", logger: .test)
        let owners = OwnersStore(pool: pool, audit: AuditStore())
        PublishRoute(
            repositories: repositories,
            store: PublishStore(
                pool: pool, owners: owners, events: EventLog(), audit: AuditStore(), facts: FactsStore(pool: pool)),
            blobs: blobs,
            addresses: addresses, limits: .init(uploadBytesMax: uploadBytesMax), now: { 1_700_000_000 },
            waitForEdges: { _ in }
        ).add(to: router)
        YankRoute(
            repositories: repositories,
            store: YankStore(
                pool: pool, owners: owners, events: EventLog(), audit: AuditStore(), facts: FactsStore(pool: pool)),
            waitForEdges: { _ in }
        ).add(to: router)
        OwnersRoute(repositories: repositories, owners: owners).add(to: router)
        SearchRoute(repositories: repositories, store: SearchStore(pool: pool)).add(to: router)
        let reads = OwnReads(store: ReadStore(pool: pool), logger: .test)
        let upstreams = UpstreamDesk(
            store: UpstreamStore(
                pool: pool, events: EventLog(), audit: AuditStore(), facts: FactsStore(pool: pool)), logger: .test)
        IndexRoute(
            repositories: repositories, store: IndexStore(pool: pool), budget: ByteBudget(bytesMax: indexBytesMax),
            reads: reads, upstreams: upstreams
        ).add(to: router)
        ClosureRoute(repositories: repositories, store: ClosureStore(pool: pool), upstreams: upstreams).add(to: router)
        ConfigRoute(repositories: repositories, addresses: addresses).add(to: router)
        CrateRoute(
            repositories: repositories, store: CrateStore(pool: pool), blobs: blobs, reads: reads, upstreams: upstreams
        ).add(to: router)
        MeRoute(addresses: addresses).add(to: router)
        let (ports, continuation) = AsyncStream<Int>.makeStream()
        let app = Application(
            router: router,
            server: .http1(configuration: .init(additionalChannelHandlers: [EarlyAnswer()])),
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) }, logger: .test)
        let group = ServiceGroup(configuration: .init(services: [app], logger: .test))
        let task = Task { try await group.run() }
        for await port in ports { return Replica(port: port, group: group, task: task) }
        throw CancellationError()
    }
}

/// A running server, stopped in order: one that is cancelled may drop a connection that it has just accepted.
struct Replica {
    let port: Int
    let group: ServiceGroup
    let task: Task<Void, any Error>

    func whileRunning(_ body: (_ port: Int) async throws -> Void) async throws {
        do {
            try await body(port)
        } catch {
            await group.triggerGracefulShutdown()
            try await task.value
            throw error
        }
        await group.triggerGracefulShutdown()
        try await task.value
    }
}

struct Answer: Sendable {
    let status: Int
    let headers: [String: String]
    let body: String
    let bytes: [UInt8]

    /// The texts of an `errors` answer; empty if the body is none.
    var details: [String] {
        struct Errors: Decodable {
            struct One: Decodable { let detail: String }
            let errors: [One]
        }
        return (try? JSONDecoder().decode(Errors.self, from: Data(bytes)))?.errors.map(\.detail) ?? []
    }

    var detail: String { details.joined(separator: " | ") }
}

extension SliceOrigin {
    func send(
        _ method: String, _ path: String, token: String? = nil, headers: [String: String] = [:],
        body: [UInt8]? = nil, toOther: Bool = false
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(toOther ? otherPort : port)\(path)")
        request.method = .init(rawValue: method)
        if let token { request.headers.add(name: "authorization", value: token) }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        let bytes = try await response.body.collect(upTo: 64 << 20)
        var found: [String: String] = [:]
        for header in response.headers { found[header.name.lowercased()] = header.value }
        return Answer(
            status: Int(response.status.code), headers: found, body: String(buffer: bytes),
            bytes: Array(bytes.readableBytesView))
    }

    func publish(_ crate: MadeCrate, _ token: String, toOther: Bool = false) async throws -> Answer {
        try await publish(crate.publishBody(), token, toOther: toOther)
    }

    func publish(_ body: [UInt8], _ token: String, toOther: Bool = false) async throws -> Answer {
        try await send("PUT", "/main/api/v1/crates/new", token: token, body: body, toOther: toOther)
    }

    /// Imports one version as `longshore-origin import` does.
    func importOne(_ name: String) async throws {
        let store = ImportStore(
            pool: pool, owners: OwnersStore(pool: pool, audit: AuditStore()), events: EventLog(),
            audit: AuditStore(), facts: FactsStore(pool: pool))
        let crate = MadeCrate(name, "1.0.0")
        let bytes = try crate.crate()
        let facts = try ManifestRules.check(
            ManifestReader.read(crate.manifest),
            announced: PublishMetadata(name: CrateName(name), version: Version("1.0.0")), ownIndexURLs: [],
            metadataRequired: false)
        let line = try ImportScene.line(of: crate, bytes)
        let version = CheckedVersion(
            facts: facts, line: line, traits: nil, publishedAt: nil, bytes: bytes.count)
        let repository = try await repositories.require(RepositoryName("main"))
        _ = try await store.known([line.name], in: repository)
        let outcome = try await store.add(
            [ImportedCrate(name: line.name, versions: [version])], to: repository, owner: nil)
        #expect(outcome.added == 1)
    }

    /// The index file's lines, none for 404.
    func lines(_ path: String, token: String? = nil) async throws -> [String] {
        let answer = try await send("GET", "/main/index/\(path)", token: token)
        guard answer.status == 200 else { return [] }
        #expect(answer.body.hasSuffix("\n"))
        return answer.body.split(separator: "\n").map(String.init)
    }

    /// Asserts that nothing of a refused publish stayed: no unfinished file, no blob, no row.
    func expectNothingStayed(crates: Int = 0, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let unfinished = try FileManager.default.contentsOfDirectory(atPath: blobFolder + "/tmp")
        #expect(unfinished == [], sourceLocation: sourceLocation)
        let rows = try await pool.query(
            """
            SELECT (SELECT count(*) FROM crates) AS crates, (SELECT count(*) FROM versions) AS versions,
              (SELECT count(*) FROM checksums) AS checksums
            """)
        let row = try #require(rows.first)
        for column in ["crates", "versions", "checksums"] {
            #expect(try row.value(column, as: Int.self) == crates, "\(column)", sourceLocation: sourceLocation)
        }
    }
}

extension SliceOrigin {
    static func checksum(of bytes: [UInt8]) -> Checksum? { Checksum(bytes: SHA256.hash(data: bytes)) }
}
