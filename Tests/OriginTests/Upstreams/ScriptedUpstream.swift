import Hummingbird
import NIOCore
import Registry
import ServiceLifecycle
import Synchronization
import TestSupport

@testable import Origin

/// A registry that is not ours: static files with validators, and whatever else a server may do wrong.
final class ScriptedUpstream: Sendable {
    struct Script: Sendable {
        /// Index files by path, such as `3/f/foo`.
        var index: [String: [UInt8]] = [:]
        var crates: [String: [UInt8]] = [:]
        /// Instead of every answer.
        var status: HTTPResponse.Status?
        var headers: HTTPFields = [:]
        /// Every body is announced longer than it is.
        var cuts = false
        /// Where `dl` of its `config.json` leads; nil: to itself.
        var downloads: String?
        var isAuthRequired = false
        /// What must stand in `Authorization`, or the answer is 401.
        var credential: String?
        /// Locations by path.
        var redirects: [String: String] = [:]
        /// No answer before it is false.
        var isHeld = false
    }

    private let script = Mutex(Script())
    private let asked = Mutex<[String]>([])
    /// Each request's path, and what stood in `Authorization`.
    private let shown = Mutex<[(path: String, credential: String)]>([])
    private let bound = Mutex<Int>(0)
    private let host: String

    private init(host: String) { self.host = host }

    var requests: [String] { asked.withLock { $0 } }
    var url: String { "http://\(host):\(bound.withLock { $0 })/" }
    /// Paths that were asked for with a credential, each with it.
    var credentials: [String] {
        shown.withLock { $0.filter { !$0.credential.isEmpty }.map { "\($0.path) \($0.credential)" } }
    }

    func set(_ change: (inout Script) -> Void) { script.withLock { change(&$0) } }

    /// Offers a version: its file, and a line behind those that are there.
    @discardableResult
    func offer(_ made: MadeCrate, line: String? = nil) throws -> [UInt8] {
        let bytes = try made.crate()
        let text = try line ?? ImportScene.line(of: made, bytes).json
        let path = try CrateName(made.name).indexPath.description
        set {
            $0.index[path, default: []] += Array((text + "\n").utf8)
            $0.crates["\(made.name)/\(made.version)"] = bytes
        }
        return bytes
    }

    /// - Parameter host: an address of this machine's own; each is a host of its own.
    static func with(
        host: String = "127.0.0.1", _ body: (ScriptedUpstream) async throws -> Void
    ) async throws {
        let upstream = ScriptedUpstream(host: host)
        let router = Router()
        router.get("/**") { request, _ in try await upstream.answer(request) }
        let (ports, said) = AsyncStream<Int>.makeStream()
        let app = Application(
            router: router, configuration: .init(address: .hostname(host, port: 0)),
            onServerRunning: { said.yield($0.localAddress?.port ?? 0) }, logger: .test)
        let group = ServiceGroup(configuration: .init(services: [app], logger: .test))
        let running = Task { try await group.run() }
        for await port in ports {
            upstream.bound.withLock { $0 = port }
            break
        }
        do {
            try await body(upstream)
        } catch {
            await group.triggerGracefulShutdown()
            throw error
        }
        await group.triggerGracefulShutdown()
        try await running.value
    }

    private func answer(_ request: Request) async throws -> Response {
        let path = String(request.uri.path.dropFirst())
        let condition = request.headers[.ifNoneMatch]
        asked.withLock { $0.append(condition == nil ? path : "\(path) if-none-match") }
        let credential = request.headers[.authorization] ?? ""
        shown.withLock { $0.append((path, credential)) }
        while self.script.withLock({ $0.isHeld }) { try await Task.sleep(for: .milliseconds(10)) }
        let script = script.withLock { $0 }
        if let status = script.status { return Response(status: status, headers: script.headers) }
        if let wanted = script.credential, wanted != credential { return Response(status: .unauthorized) }
        if let place = script.redirects[path] { return Response(status: .found, headers: [.location: place]) }
        if path == "config.json" { return file(config(script), nil, script) }
        if path.hasPrefix("dl/") {
            guard let bytes = script.crates[String(path.dropFirst(3))] else { return Response(status: .notFound) }
            return file(bytes, nil, script)
        }
        guard let bytes = script.index[path] else { return Response(status: .notFound) }
        let tag = "\"\(bytes.hashValue)\""
        return condition == tag ? Response(status: .notModified) : file(bytes, tag, script)
    }

    private func config(_ script: Script) -> [UInt8] {
        let downloads = "\(script.downloads ?? url)dl/{crate}/{version}"
        return Array(#"{"dl":"\#(downloads)","auth-required":\#(script.isAuthRequired)}"#.utf8)
    }

    private func file(_ bytes: [UInt8], _ tag: String?, _ script: Script) -> Response {
        var headers = script.headers
        if let tag { headers[.eTag] = tag }
        guard script.cuts else {
            return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
        }
        let body = ResponseBody(contentLength: bytes.count + 1) { writer in
            try await writer.write(ByteBuffer(bytes: bytes))
            throw CancellationError()
        }
        return Response(status: .ok, headers: headers, body: body)
    }
}
