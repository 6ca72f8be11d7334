import Crypto
import EdgeHTTP
import Logging
import NIOCore
import Registry
import Synchronization
import TestSupport

@testable import LoadTest

/// A sparse index with fixed files on our edge's HTTP server, that keeps what it is asked.
final class StaticIndex: EdgeHandler {
    struct Asked: Hashable, Sendable {
        let path: String
        let tag: String?
        let token: String?
    }

    /// By path.
    private let files = Mutex<[String: String]>([:])
    /// Statuses to answer instead, once each.
    private let refusals = Mutex<[String: [Int]]>([:])
    /// Where other files lie.
    private let redirects = Mutex<[String: String]>([:])
    private let delays = Mutex<[String: TimeAmount]>([:])
    private let requests = Mutex<[Asked]>([])
    /// What every request must bring, if anything.
    private let token: String?

    private init(token: String?) { self.token = token }

    var asked: [Asked] { requests.withLock { $0 } }

    func set(_ path: String, _ text: String?) { files.withLock { $0[path] = text } }
    func refuse(_ path: String, _ statuses: [Int]) { refusals.withLock { $0[path] = statuses } }

    func redirect(_ path: String, to location: String?) { redirects.withLock { $0[path] = location } }

    func delay(_ path: String, _ time: TimeAmount) { delays.withLock { $0[path] = time } }

    /// An index line, in a file of its own.
    func add(_ name: String, _ needs: [String] = [], checksum: String = String(repeating: "0a", count: 32)) throws {
        let dependencies = try needs.map {
            IndexDependency(name: $0, requirement: try VersionRequirement("^1"))
        }
        guard let checksum = Checksum(hex: checksum) else { throw Wrong() }
        let line = IndexLine(
            name: try CrateName(name), version: try Version("1.0.0"), dependencies: dependencies, checksum: checksum)
        set("/index/\(try CrateName(name).indexPath)", line.json + "\n")
    }

    struct Wrong: Error {}

    /// Serves while `body` runs.
    ///
    /// - Parameter authority: speaks TLS with its certificate.
    static func with(
        token: String? = nil, authority: TestAuthority? = nil, _ body: (StaticIndex, String) async throws -> Void
    ) async throws {
        let index = StaticIndex(token: token)
        let tls = authority.map {
            EdgeServerConfiguration.TLS(certificateChainFile: $0.serverCertificate, privateKeyFile: $0.serverKey)
        }
        let server = EdgeServer(
            configuration: EdgeServerConfiguration(listeners: [.init(host: "127.0.0.1", port: 0, tls: tls)]),
            handler: index, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), observer: nil)
        try await server.start()
        let url = "\(tls == nil ? "http" : "https")://127.0.0.1:\(server.boundAddresses.first?.port ?? 0)"
        let auth = token == nil ? "" : ",\"auth-required\":true"
        index.set("/index/config.json", "{\"dl\":\"\(url)/dl/{crate}\"\(auth)}")
        do {
            try await body(index, url + "/index/")
        } catch {
            await server.stop(grace: .zero)
            throw error
        }
        await server.stop(grace: .zero)
    }

    func answer(_ request: EdgeRequest, on loop: any EventLoop, memo: inout EdgeMemo?) -> EdgeAnswer {
        let asked = Asked(
            path: String(buffer: request.path), tag: request.ifNoneMatch.map { String(buffer: $0) },
            token: request.authorization.map { String(buffer: $0) })
        requests.withLock { $0.append(asked) }
        guard let delay = delays.withLock({ $0[asked.path] }) else { return answer(asked) }
        let promise = loop.makePromise(of: EdgeAnswer.self)
        loop.scheduleTask(in: delay) { promise.succeed(self.answer(asked)) }
        return .later(promise.futureResult)
    }

    private func answer(_ asked: Asked) -> EdgeAnswer {
        let refusal = refusals.withLock { refusals -> Int? in
            guard let first = refusals[asked.path]?.first else { return nil }
            refusals[asked.path]?.removeFirst()
            return first
        }
        if let refusal { return Self.answer(refusal, "") }
        if let location = redirects.withLock({ $0[asked.path] }) {
            return .rendered(
                RenderedAnswer(status: 307, headers: [(name: "location", value: location)], body: ByteBuffer()))
        }
        if token != nil, asked.token != token { return Self.answer(401, "a token is needed") }
        guard let text = files.withLock({ $0[asked.path] }) else { return Self.answer(404, "") }
        let tag = "\"\(SHA256.hash(data: Array(text.utf8)).description.suffix(16))\""
        return asked.tag == tag ? Self.answer(304, "", tag) : Self.answer(200, text, tag)
    }

    private static func answer(_ status: Int, _ text: String, _ tag: String? = nil) -> EdgeAnswer {
        // A retry is to come at once.
        var headers = status == 503 ? [(name: "retry-after", value: "0")] : []
        if let tag { headers.append((name: "etag", value: tag)) }
        return .rendered(RenderedAnswer(status: status, headers: headers, body: ByteBuffer(string: text)))
    }
}
