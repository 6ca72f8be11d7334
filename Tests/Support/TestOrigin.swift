import FoundationEssentials
import Hosting
import Logging
import NIOCore
package import Origin
import Postgres
package import Registry
import ServiceLifecycle
package import Signing
import Synchronization

/// Whole origins in this process, on a database and a data folder of one test's own.
///
/// ```swift
/// try await TestOrigin.with(replicas: 2) { origin in
///     let ann = try await origin.token("ann", [.read], in: ["main"])
///     let answer = try await origin.call("GET", "/main/index/config.json", as: .token(ann), replica: 1)
/// }
/// ```
package struct TestOrigin: Sendable {
    /// Who calls, and how the credential is sent.
    package enum Caller: Sendable {
        case anonymous
        /// The bare secret, as cargo sends it.
        case token(String)
        case edge(String)

        package var headers: [(String, String)] {
            switch self {
            case .anonymous: []
            case .token(let secret): [("authorization", secret)]
            case .edge(let secret): [("authorization", "Bearer \(secret)")]
            }
        }
    }

    /// Without a final slash, one a replica.
    package let urls: [String]
    package let replicas: [OriginSlices]
    package let dataFolder: String
    /// The connection string of the test's database.
    package let databaseURL: String

    package var url: String { urls[0] }
    package var slices: OriginSlices { replicas[0] }

    /// Starts the origin, calls `body` when all replicas serve, and shuts everything down in order after it.
    ///
    /// - Parameters:
    ///   - feedFramesMax: events that each replica keeps in memory for edges.
    ///   - configure: changes settings of each replica before it starts.
    package static func with<Answer: Sendable>(
        replicas count: Int = 1, feedFramesMax: Int = FeedTail.framesMax,
        configure: @escaping @Sendable (inout OriginConfig) -> Void = { _ in },
        _ body: @Sendable (TestOrigin) async throws -> Answer
    ) async throws -> Answer {
        try await TestDatabase.with { _, connectionString in
            try await withTemporaryFolder("origin") { folder in
                var started: [Replica] = []
                do {
                    for _ in 0..<count {
                        var config = OriginConfig(
                            address: SocketAddressText(host: "127.0.0.1", port: try freePort()), dataFolder: folder)
                        config.databaseURL = connectionString
                        config.databaseConnectionsMax = 8
                        configure(&config)
                        started.append(try await Replica.start(config, feedFramesMax: feedFramesMax))
                    }
                    let origin = TestOrigin(
                        urls: started.map(\.url), replicas: started.map(\.slices), dataFolder: folder,
                        databaseURL: connectionString)
                    let answer = try await body(origin)
                    for replica in started { try await replica.stop() }
                    return answer
                } catch {
                    // The test's own failure counts.
                    for replica in started { try? await replica.stop() }
                    throw error
                }
            }
        }
    }

    /// Makes a repository.
    @discardableResult
    package func repository(_ name: String, isPrivate: Bool = false) async throws -> Repository {
        try await slices.repositories.create(
            try RepositoryName(name), RepositorySettings(isPrivate: isPrivate), by: .commandLine)
    }

    /// Makes a token and returns its secret.
    ///
    /// - Parameter repositories: nil means all.
    package func token(
        _ login: String, _ actions: [Registry.Action], in repositories: [String]? = nil, crates: [String] = ["*"],
        secondsToLive: Int? = nil
    ) async throws -> String {
        try await made(login, actions, in: repositories, crates: crates, secondsToLive: secondsToLive).secret.text
    }

    /// Makes a token and returns its record too.
    package func made(
        _ login: String, _ actions: [Registry.Action], in repositories: [String]? = nil, crates: [String] = ["*"],
        secondsToLive: Int? = nil
    ) async throws -> (record: TokenRecord, secret: SecretToken) {
        let grant = Grant(
            actions: Set(actions), repositories: try repositories.map { Set(try $0.map { try RepositoryName($0) }) },
            crates: crates.compactMap { CratePattern($0) })
        return try await slices.tokens.create(
            try TokenRequest(login: login, name: "test", grants: [grant], secondsToLive: secondsToLive),
            by: .commandLine)
    }

    /// Makes an edge and returns its credential.
    package func edge(_ name: String) async throws -> String {
        try await slices.edges.create(name: name, region: "", by: .commandLine).secret.text
    }

    package func call(
        _ method: String, _ path: String, as caller: Caller = .anonymous, json: String? = nil, replica: Int = 0
    ) async throws -> HTTPAnswer {
        let type = json == nil ? [] : [("content-type", "application/json")]
        return try await httpCall(
            method, urls[replica] + path, headers: caller.headers + type, body: json.map { ByteBuffer(string: $0) })
    }
}

/// One origin in this process.
private struct Replica: Sendable {
    let url: String
    let slices: OriginSlices
    private let group: ServiceGroup
    private let running: Task<Void, any Error>

    static func start(_ config: OriginConfig, feedFramesMax: Int) async throws -> Replica {
        let (listening, said) = AsyncStream<Void>.makeStream()
        let app = OriginApp(config, logger: .test, feedFramesMax: feedFramesMax) { _ in said.finish() }
        var quiet = Logger.test
        quiet.logLevel = .error
        let group = ServiceGroup(configuration: .init(services: try await app.start(), logger: quiet))
        let running = Task {
            defer { said.finish() }
            try await group.run()
        }
        for await _ in listening {}
        guard let slices = app.slices else { preconditionFailure("a started origin has its slices") }
        // The feed is served from the first look at the table on.
        while slices.tail.head == nil { try await Task.sleep(for: .milliseconds(5)) }
        return Replica(url: config.addresses.base, slices: slices, group: group, running: running)
    }

    func stop() async throws {
        await group.triggerGracefulShutdown()
        try await running.value
    }
}
