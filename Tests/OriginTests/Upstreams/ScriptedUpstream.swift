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
    }

    private let script = Mutex(Script())
    private let asked = Mutex<[String]>([])
    private let bound = Mutex<Int>(0)

    var requests: [String] { asked.withLock { $0 } }
    var url: String { "http://127.0.0.1:\(bound.withLock { $0 })/" }

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

    static func with(_ body: (ScriptedUpstream) async throws -> Void) async throws {
        let upstream = ScriptedUpstream()
        let router = Router()
        router.get("/**") { request, _ in upstream.answer(request) }
        let (ports, said) = AsyncStream<Int>.makeStream()
        let app = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
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

    private func answer(_ request: Request) -> Response {
        let path = String(request.uri.path.dropFirst())
        let condition = request.headers[.ifNoneMatch]
        asked.withLock { $0.append(condition == nil ? path : "\(path) if-none-match") }
        let script = script.withLock { $0 }
        if let status = script.status { return Response(status: status, headers: script.headers) }
        if path == "config.json" { return file(Array(#"{"dl":"\#(url)dl/{crate}/{version}"}"#.utf8), nil, script) }
        if path.hasPrefix("dl/") {
            guard let bytes = script.crates[String(path.dropFirst(3))] else { return Response(status: .notFound) }
            return file(bytes, nil, script)
        }
        guard let bytes = script.index[path] else { return Response(status: .notFound) }
        let tag = "\"\(bytes.hashValue)\""
        return condition == tag ? Response(status: .notModified) : file(bytes, tag, script)
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
