import AsyncHTTPClient
import Crypto
import Hosting
import Logging
import NIOCore
import NIOHTTP1
import Registry
import ServiceLifecycle
import Signing
import TestSupport

@testable import Edge

/// A whole edge in this process, in front of a scripted origin, with real sockets on both sides.
struct RunningEdge: Sendable {
    struct Answer: Sendable {
        let status: Int
        let headers: [String: String]
        let bytes: [UInt8]

        var body: String { String(decoding: bytes, as: UTF8.self) }
        var xCache: String? { headers["x-cache"] }
    }

    struct Timeout: Error, CustomStringConvertible {
        let description: String
    }

    let app: EdgeApp
    let origin: ScriptedOrigin
    let folder: String

    static let publicURL = "https://edge.test"

    /// Runs `body` with an edge that is ready (unless `isReady` is false), and stops the edge in order.
    static func run(
        _ origin: ScriptedOrigin, in folder: String, leaseTime: Duration = .seconds(5), isReady: Bool = true,
        tokenLease: Duration = .seconds(600), diskBytesMax: Int? = nil, errors: LoggedErrors? = nil,
        configure: (inout EdgeConfig) -> Void = { _ in },
        _ body: @Sendable @escaping (RunningEdge) async throws -> Void
    ) async throws {
        var config = EdgeConfig(
            originURL: origin.url, credential: SecretToken(kind: .edge).text,
            address: SocketAddressText(host: "127.0.0.1", port: 0), publicURL: publicURL, dataFolder: folder + "/edge")
        config.leaseTime = leaseTime
        config.tokenLease = tokenLease
        config.name = "test-edge"
        if let diskBytesMax { config.diskBytesMax = diskBytesMax }
        config.drainTimeMax = .seconds(2)
        configure(&config)
        var logger = Logger(label: "edge") { _ in errors?.handler ?? SwiftLogNoOpLogHandler() }
        logger.logLevel = errors == nil ? .critical : .error
        let edge = RunningEdge(app: try EdgeApp(config, logger: logger), origin: origin, folder: folder)
        let services = ServiceGroup(services: edge.app.services, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            do {
                try await edge.until("listening") { !edge.app.boundAddresses.isEmpty }
                if isReady { try await edge.untilReady() }
                try await body(edge)
            } catch {
                await services.triggerGracefulShutdown()
                throw error
            }
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
        }
    }

    func get(
        _ path: String, headers: [(String, String)] = [], method: String = "GET"
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(app.boundAddresses[0].port ?? 0)\(path)")
        request.method = .init(rawValue: method)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let body = try await response.body.collect(upTo: 64 << 20)
        return Answer(
            status: Int(response.status.code),
            headers: Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }) { "\($0), \($1)" },
            bytes: Array(body.readableBytesView))
    }

    func get(_ path: String, as authorization: String) async throws -> Answer {
        try await get(path, headers: [("authorization", authorization)])
    }

    /// Waits for something that happens soon, without measuring how soon.
    func until(_ what: String, _ holds: @Sendable () async throws -> Bool) async throws {
        for _ in 0..<1000 {
            if try await holds() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw Timeout(description: "never: \(what)")
    }

    func untilReady() async throws {
        try await until("fresh, with its repositories") {
            app.isFresh && app.knowsRepositories
        }
    }

    /// Waits until the edge has applied and acknowledged a position.
    func untilApplied(_ position: UInt64) async throws {
        try await until("acknowledging \(position)") { origin.acknowledged >= position }
    }
}

/// A made-up `.crate`, and where it lies.
struct MadeDownload: Sendable {
    let bytes: [UInt8]
    let checksum: Checksum
    /// As the origin's script knows it, and as it ends a public address.
    let file: String

    init(_ name: String, _ version: String, bytes count: Int = 5000) throws {
        bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 256) }
        guard let checksum = Checksum(bytes: SHA256.hash(data: bytes)) else {
            throw RunningEdge.Timeout(description: "")
        }
        self.checksum = checksum
        file = "\(name)/\(version)/\(checksum).crate"
    }

    func path(in repository: String = "main") -> String { "/\(repository)/crates/\(file)" }
}

extension ScriptedOrigin {
    /// A started origin with one crate `foo`.
    static func withFoo() async throws -> ScriptedOrigin {
        let origin = ScriptedOrigin()
        origin.change { $0.indexFiles["main/3/f/foo"] = (1, "{\"name\":\"foo\",\"vers\":\"1.0.0\"}\n") }
        try await origin.start()
        return origin
    }
}
