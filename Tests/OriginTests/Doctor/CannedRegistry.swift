import CrateFile
import HTTPTypes
import Hummingbird
import NIOCore
import Registry
import TestSupport

@testable import Origin

/// A small registry with one crate that answers as it should, but for what a test changes.
struct CannedRegistry: Sendable {
    struct Canned: Sendable {
        var status = 200
        var headers: [(String, String)] = []
        var body: [UInt8] = []
    }

    /// What is asked, and the answer that may be changed.
    typealias Change = @Sendable (_ path: String, _ headers: HTTPFields, _ canned: inout Canned) -> Void

    static let made = MadeCrate("foo", "1.0.0")

    /// - Parameter body: gets the index URL.
    static func with<Answer: Sendable>(
        _ change: @escaping Change = { _, _, _ in }, _ body: (String) async throws -> Answer
    ) async throws -> Answer {
        let crate = try made.crate()
        let line = try ImportScene.line(of: made, crate).json + "\n"
        let (ports, listening) = AsyncStream<Int>.makeStream()
        let responder = CallbackResponder<BasicRequestContext> { request, _ in
            var canned = good(request, crate: crate, index: Array(line.utf8))
            change(request.uri.path, request.headers, &canned)
            var fields = HTTPFields()
            for (name, value) in canned.headers {
                if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) }
            }
            return Response(
                status: .init(code: canned.status), headers: fields,
                body: .init(byteBuffer: ByteBuffer(bytes: canned.body)))
        }
        let app = Application(
            responder: responder, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { listening.yield($0.localAddress?.port ?? 0) }, logger: .test)
        let running = Task { try await app.run() }
        defer { running.cancel() }
        for await port in ports { return try await body("http://127.0.0.1:\(port)/main/index/") }
        throw CancellationError()
    }

    private static func good(_ request: Request, crate: [UInt8], index: [UInt8]) -> Canned {
        let checksum = ImportScene.checksum(crate)
        let base = "http://\(request.head.authority ?? "")/main"
        switch request.uri.path {
        case "/main/index/config.json":
            let config = ConfigFile(downloads: base + "/crates", api: base, authRequired: false)
            return Canned(headers: [("content-type", "application/json")], body: Array(config.json.utf8))
        case "/main/index/3/f/foo":
            let tag = EntityTag(generation: 1, checksum: ImportScene.checksum(index)).description
            let known = request.headers[.ifNoneMatch] ?? ""
            if known == tag || known == "W/" + tag { return Canned(status: 304, headers: [("etag", tag)]) }
            return Canned(headers: [("content-type", "text/plain"), ("etag", tag)], body: index)
        case "/main/crates/foo/1.0.0/\(checksum).crate":
            return Canned(headers: [("content-type", "application/gzip")], body: crate)
        case "/main/api/v1/crates":
            return Canned(body: Array(#"{"crates":[{"name":"foo"}],"meta":{"total":1}}"#.utf8))
        case let path where path.hasPrefix("/main/index/"):
            return Canned(
                status: 404, headers: [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")],
                body: Array("no such crate".utf8))
        default:
            return Canned(
                status: request.method == .put ? 401 : 404, headers: [("content-type", "application/json")],
                body: Array(#"{"errors":[{"detail":"no"}]}"#.utf8))
        }
    }
}
