import EdgeHTTP
import NIOCore
import Synchronization
import TestSupport
import Testing

/// Whoever has an answer whole was told of to the observer before; answers that break off are not.
struct LeavingTests {
    @Test(arguments: ["--http1.1", "--http2-prior-knowledge"], [false, true])
    func `an answer is told of once, before it is over`(version: String, isSecure: Bool) async throws {
        let observer = KeepingObserver()
        try await withServer(tls: true, fileBytes: 300_000, observer: observer) { server in
            let way = isSecure ? (version == "--http1.1" ? version : "--http2") : version
            for path in ["/text", "/file", "/large", "/unchanged", "/later/5"] {
                let url = (isSecure ? server.secure : server.plain) + path
                _ = try await curl("-k", way, "-o", "/dev/null", url)
            }
            try await eventually("five told of") { observer.left.withLock { $0.count } == 5 }
            try await eventually("five finished") { observer.seen.withLock { $0.count } == 5 }
            let large = ScriptedHandler.largeBytes
            #expect(
                observer.left.withLock { $0 }.prefix(4)
                    == [
                        "/text 200 \(ScriptedHandler.text.utf8.count)", "/file 200 300000", "/large 200 \(large)",
                        "/unchanged 304 0",
                    ])
            #expect(observer.order.withLock { $0 } == Array(repeating: ["left", "finished"], count: 5).flatMap { $0 })
        }
    }

    @Test(arguments: ["/file", "/large"]) func `an answer that the client breaks off is not told of`(path: String)
        async throws
    {
        let observer = KeepingObserver()
        try await withServer(fileBytes: 50_000_000, observer: observer) { server in
            try await readHead(of: path, from: server)
            try await eventually("it is over") { observer.seen.withLock { $0.count } == 1 }
            #expect(observer.left.withLock { $0 } == [])
        }
    }

    /// The connection is closed when it is let go of.
    private func readHead(of path: String, from server: TestServer) async throws {
        let client = try server.connect()
        try client.send("GET \(path) HTTP/1.1\r\nhost: a\r\n\r\n")
        _ = try await client.receive(until: "\r\n\r\n")
    }
}
